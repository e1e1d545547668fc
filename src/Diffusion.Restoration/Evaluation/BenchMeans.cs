using System.Globalization;
using System.Text;
using Diffusion.Restoration;

namespace Diffusion.Evaluation;

/// <summary>Writes the means of a benchmark as a tidy table: what <c>results.md</c> shows, one line per degradation and method.</summary>
public static class BenchMeans
{
    private static readonly string[] Names =
    [
        "size",
        "operator",
        "noise",
        "method",
        "prior",
        "steps",
        "pictures",
        "psnr",
        "ssim",
        "niqe",
        "gmsd",
        "high_band",
        "gain",
        "improved",
        "evaluations",
        "seconds",
    ];

    /// <summary>The table, with a header.</summary>
    public static string Write(IEnumerable<BenchGroup> groups)
    {
        StringBuilder text = new(Csv.Line(Names) + "\n");
        foreach (BenchGroup group in groups)
        {
            foreach (BenchLine line in group.Lines)
            {
                text.Append(
                        Csv.Line([
                            group.Size,
                            group.Operator,
                            Number(group.Noise, "0.####"),
                            line.Method,
                            line.Prior,
                            line.Steps?.ToString(CultureInfo.InvariantCulture) ?? "",
                            line.Pictures.ToString(CultureInfo.InvariantCulture),
                            Number(line.Psnr, "0.000"),
                            Number(line.Ssim, "0.0000"),
                            Number(line.Niqe, "0.00"),
                            Number(line.Gmsd, "0.0000"),
                            Number(line.HighBand, "0.000"),
                            Number(line.Gain, "0.000"),
                            line.Gain is null ? "" : line.Improved.ToString(CultureInfo.InvariantCulture),
                            Number(line.Evaluations, "0.#"),
                            Number(line.Seconds, "0.00"),
                        ])
                    )
                    .Append('\n');
            }
        }
        return text.ToString();
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
