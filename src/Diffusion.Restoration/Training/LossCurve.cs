using System.Globalization;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary><c>loss.csv</c>: what a run's steps were like, averaged over short stretches; and its picture, <c>loss.png</c>.</summary>
public sealed class LossCurve
{
    private const string Columns = "step,crops,seconds,loss,error,gradient_norm,rate";
    private readonly string _path;
    private const int MostPoints = 150,
        Width = 640,
        Height = 320;
    private double _loss,
        _error,
        _norm;

    /// <summary>Continues a file; lines beyond the resumed step were of a part that is done again, and go.</summary>
    public LossCurve(string path, long resumedStep)
    {
        _path = path;
        string[] kept = File.Exists(path)
            ?
            [
                .. File.ReadLines(path)
                    .Skip(1)
                    .Where(line =>
                        line.Split(',').Length == Columns.Split(',').Length
                        && long.TryParse(line.Split(',')[0], out long step)
                        && step <= resumedStep
                    ),
            ]
            : [];
        File.WriteAllLines(path, [Columns, .. kept]);
    }

    /// <summary>Steps since the last line.</summary>
    public int Count { get; private set; }

    /// <summary>Mean loss since the last line.</summary>
    public double Loss => _loss / Math.Max(1, Count);

    /// <summary>Mean norm of the gradient since the last line.</summary>
    public double GradientNorm => _norm / Math.Max(1, Count);

    /// <summary>Takes note of a step.</summary>
    public void Add(StepReport report)
    {
        _loss += report.Loss;
        _error += report.Error;
        _norm += report.GradientNorm;
        Count++;
    }

    /// <summary>Writes a line.</summary>
    public void Flush(TrainingState state, double rate)
    {
        File.AppendAllText(
            _path,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{state.Step},{state.Crops},{state.Seconds:0.0},{Loss:0.00000},{_error / Math.Max(1, Count):0.00000},"
                    + $"{GradientNorm:0.0000},{rate:0.000e0}{Environment.NewLine}"
            )
        );
        (_loss, _error, _norm, Count) = (0, 0, 0, 0);
    }

    /// <summary>Draws the mean error of all levels over the crops seen, from zero to its largest value.</summary>
    public void Draw(string picture)
    {
        double[][] lines =
        [
            .. File.ReadLines(_path)
                .Skip(1)
                .Select(line => line.Split(',').Select(field => double.Parse(field, CultureInfo.InvariantCulture)).ToArray()),
        ];
        if (lines.Length == 0)
            return;
        double[] errors = [.. lines.Chunk((lines.Length + MostPoints - 1) / MostPoints).Select(part => part.Average(line => line[4]))];
        using ComputeScope scope = new();
        float[] pixels = new float[Width * Height];
        Array.Fill(pixels, 1f);
        int Row(double error) => (int)Math.Round((1 - error / errors.Max()) * (Height - 1));
        for (int x = 0; x < Width; x++)
        {
            double at = (double)x / (Width - 1) * (errors.Length - 1);
            int left = (int)at,
                right = Math.Min(left + 1, errors.Length - 1),
                y = Row(errors[left] + (at - left) * (errors[right] - errors[left]));
            for (int row = Math.Max(0, y - 1); row <= Math.Min(Height - 1, y + 1); row++)
                pixels[row * Width + x] = 0;
            pixels[(Height - 1) * Width + x] = 0.5f;
        }
        string caption = string.Create(
            CultureInfo.InvariantCulture,
            $"error, mean over levels: {errors[0]:0.000} to {errors[^1]:0.000} in {lines[^1][1]:0} crops (axis from 0 to "
                + $"{errors.Max():0.000})"
        );
        using Tensor sheet = Sheet.Draw([new SheetPanel(caption, torch.tensor(pixels).reshape(1, 1, Height, Width))]);
        ImageFile.Write(picture, sheet, new WriteOptions { Overwrite = true });
    }
}
