using System.Globalization;
using System.Text;
using Diffusion.Metrics;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Training;

namespace Diffusion.Evaluation;

/// <summary>Compares restorers that were trained on pairs, on pairs of scenes that none of them saw.</summary>
/// <remarks>Several networks of one label are one recipe from several seeds: their spread is told.</remarks>
public static class RestorerComparison
{
    /// <summary>What is restored.</summary>
    public const string Degraded = "degraded";

    /// <summary>Restores a pair.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="network">Borrowed.</param>
    /// <param name="label">The recipe.</param>
    /// <param name="run">Number of the network within the recipe.</param>
    public static RestorerScore Measure(TrainingPair pair, PictureNetwork? network, string label, int run)
    {
        using ComputeScope scope = new();
        Tensor clean = (Validation.ToTensor(pair.Clean) + 1) / 2,
            degraded = (Validation.ToTensor(pair.Degraded) + 1) / 2,
            restored = (network?.Restore(degraded) ?? degraded).clamp(0, 1);
        return new RestorerScore(
            label,
            run,
            Path.GetFileName(pair.File.Degraded),
            pair.File.Kind,
            Psnr.Compute(restored, clean),
            Ssim.Compute(restored, clean),
            Gmsd.Compute(restored, clean)
        );
    }

    /// <summary>Means over pairs, then mean and spread over the runs of a recipe, by degradation and over all degradations.</summary>
    public static string Markdown(IReadOnlyList<RestorerScore> scores)
    {
        StringBuilder table = new("| degradation | pairs | recipe | runs | PSNR | SSIM | GMSD |\n|---|---|---|---|---|---|---|\n");
        foreach (IGrouping<DegradationKind, RestorerScore> kind in scores.GroupBy(score => score.Kind).OrderBy(kind => kind.Key))
            Append(table, DegradationKinds.NameOf(kind.Key), [.. kind]);
        Append(table, "all", scores);
        return table.ToString();
    }

    /// <summary>One line for each pair and network.</summary>
    public static string Csv(IReadOnlyList<RestorerScore> scores) =>
        string.Concat(
            scores
                .Select(s =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{s.Recipe},{s.Run},{s.Pair},{DegradationKinds.NameOf(s.Kind)},{s.Psnr:0.000},{s.Ssim:0.0000},{s.Gmsd:0.00000}\n"
                    )
                )
                .Prepend("recipe,run,pair,degradation,psnr,ssim,gmsd\n")
        );

    private static void Append(StringBuilder table, string title, IReadOnlyList<RestorerScore> scores)
    {
        foreach (IGrouping<string, RestorerScore> recipe in scores.GroupBy(score => score.Recipe))
        {
            RestorerScore[][] runs = [.. recipe.GroupBy(score => score.Run).Select(run => run.ToArray())];
            string Cell(Func<RestorerScore, double> value, string format)
            {
                double[] means = [.. runs.Select(run => run.Average(value))];
                double mean = means.Average(),
                    spread = means.Length < 2 ? 0 : Math.Sqrt(means.Sum(m => (m - mean) * (m - mean)) / (means.Length - 1));
                string text = mean.ToString(format, CultureInfo.InvariantCulture);
                return means.Length < 2 ? text : $"{text} ± {spread.ToString(format, CultureInfo.InvariantCulture)}";
            }
            table.Append(CultureInfo.InvariantCulture, $"| {title} | {runs[0].Length} | {recipe.Key} | {runs.Length} | ");
            table.Append(
                CultureInfo.InvariantCulture,
                $"{Cell(s => s.Psnr, "0.00")} | {Cell(s => s.Ssim, "0.0000")} | {Cell(s => s.Gmsd, "0.0000")} |\n"
            );
        }
    }
}

/// <summary>How near a restored picture is to the clean one.</summary>
/// <param name="Recipe">What trained the network.</param>
/// <param name="Run">Which of its networks.</param>
/// <param name="Pair">Name of the degraded picture.</param>
/// <param name="Kind">The degradation.</param>
/// <param name="Psnr">dB.</param>
/// <param name="Ssim">Structural similarity.</param>
/// <param name="Gmsd">Gradient magnitude similarity deviation.</param>
public sealed record RestorerScore(string Recipe, int Run, string Pair, DegradationKind Kind, double Psnr, double Ssim, double Gmsd);
