using System.Globalization;

namespace Diffusion.Training;

/// <summary><c>loss.csv</c>: what a run's steps were like, averaged over short stretches.</summary>
internal sealed class LossCurve
{
    private const string Columns = "step,crops,seconds,loss,gradient_norm,rate";
    private readonly string _path;
    private double _loss, _norm;

    /// <summary>Continues a file; lines beyond the resumed step were of a part that is done again, and go.</summary>
    public LossCurve(string path, long resumedStep)
    {
        _path = path;
        string[] kept = File.Exists(path) ? [.. File.ReadLines(path).Skip(1).Where(line => long.TryParse(line.Split(',')[0], out long step) && step <= resumedStep)] : [];
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
        _norm += report.GradientNorm;
        Count++;
    }

    /// <summary>Writes a line.</summary>
    public void Flush(TrainingState state, double rate)
    {
        File.AppendAllText(_path, string.Create(CultureInfo.InvariantCulture, $"{state.Step},{state.Crops},{state.Seconds:0.0},{Loss:0.00000},{GradientNorm:0.0000},{rate:0.000e0}{Environment.NewLine}"));
        (_loss, _norm, Count) = (0, 0, 0);
    }
}
