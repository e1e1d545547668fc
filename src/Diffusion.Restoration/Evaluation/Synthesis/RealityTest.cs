using System.Globalization;
using System.Text;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Training;

namespace Diffusion.Evaluation;

/// <summary>
/// How like reality generators are: each makes a sample of every real pair's clean picture, of the real one's mu and sigma, and <see
/// cref="TwoSampleTest"/> tries to tell them from the real ones.
/// </summary>
public static class RealityTest
{
    /// <summary>Makes the samples and tests.</summary>
    /// <param name="pairs">Real pairs of one degradation, of at least three scenes.</param>
    /// <param name="generators">Generators by their names in tables; borrowed.</param>
    /// <param name="seed">Of samples and tests.</param>
    /// <param name="cancellation">Checked between samples.</param>
    public static IReadOnlyList<(string Generator, TwoSampleResult Result)> Run(
        IReadOnlyList<TrainingPair> pairs,
        IReadOnlyList<(string Name, IDegradationGenerator Generator)> generators,
        ulong seed,
        CancellationToken cancellation = default
    )
    {
        List<FeaturePair>[] features = [.. generators.Select(_ => new List<FeaturePair>())];
        foreach (TrainingPair pair in pairs)
        {
            using ComputeScope scope = new();
            Tensor clean = (Validation.ToTensor(pair.Clean) + 1) / 2,
                real = (Validation.ToTensor(pair.Degraded) + 1) / 2;
            Intensity asked = Intensity.Between(real, clean);
            IReadOnlyList<double> expected = ChangeFeatures.Of(real, clean);
            foreach ((int i, (string _, IDegradationGenerator generator)) in generators.Index())
            {
                using Synthesized made = generator.Generate(
                    clean,
                    new(pair.File.Kind, asked, seed, Path.GetFileName(pair.File.Degraded)),
                    cancellation
                );
                features[i].Add(new FeaturePair(pair.File.Scene, expected, ChangeFeatures.Of(made.Degraded, clean)));
            }
        }
        return [.. generators.Select((one, i) => (one.Name, TwoSampleTest.Run(features[i], seed: (int)seed)))];
    }

    /// <summary>A table; differences are to the first generator.</summary>
    public static string Markdown(IReadOnlyList<(DegradationKind Kind, string Generator, TwoSampleResult Result)> rows)
    {
        StringBuilder table = new(
            "| degradation | made by | scenes | told from real | 95 % | p | against the first | 95 % |\n|---|---|---|---|---|---|---|---|\n"
        );
        foreach (var kind in rows.GroupBy(row => row.Kind))
        {
            TwoSampleResult first = kind.First().Result;
            foreach ((_, string generator, TwoSampleResult result) in kind)
            {
                table.Append(
                    CultureInfo.InvariantCulture,
                    $"| {DegradationKinds.NameOf(kind.Key)} | {generator} | {result.Scenes.Count} | {result.Statistic:0.00} | "
                );
                table.Append(
                    CultureInfo.InvariantCulture,
                    $"{result.Interval.Low:0.00} to {result.Interval.High:0.00} | {result.P:0.000} | "
                );
                (double difference, double low, double high) = result.Against(first);
                if (result == first)
                    table.Append(" | |\n");
                else
                    table.Append(
                        CultureInfo.InvariantCulture,
                        $"{difference:+0.00;-0.00;0.00} | {low:+0.00;-0.00;0.00} to {high:+0.00;-0.00;0.00} |\n"
                    );
            }
        }
        return table.ToString();
    }
}
