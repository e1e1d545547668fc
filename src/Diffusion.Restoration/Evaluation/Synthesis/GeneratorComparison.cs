using System.Diagnostics;
using Diffusion.Imaging;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Evaluation;

/// <summary>
/// Compares generators of degradations on pictures that none was trained on. The first one is the reference: what it reaches of an
/// intensity
/// is what all are asked for, so that all are seen at equal mu and sigma.
/// </summary>
/// <param name="generators">Generators by their names in tables; borrowed.</param>
/// <param name="intensity">The intensities.</param>
/// <param name="seed">Seed of everything.</param>
public sealed class GeneratorComparison(
    IReadOnlyList<(string Name, IDegradationGenerator Generator)> generators,
    IntensitySource intensity,
    ulong seed
)
{
    private const int LayoutBlock = 4;

    /// <summary>Measures one picture: two samples of each generator.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="clean">[1,3,H,W] on [0,1]; borrowed.</param>
    /// <param name="kind">The degradation.</param>
    /// <param name="number">Number of the draw.</param>
    /// <param name="seen">Told each result; the tensor is borrowed for the time of the call.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public IReadOnlyList<GeneratorScore> Measure(
        string name,
        Tensor clean,
        DegradationKind kind,
        int number,
        Action<GeneratorScore, Tensor>? seen = null,
        CancellationToken cancellation = default
    )
    {
        using ComputeScope scope = new();
        string key = $"{name}/{DegradationKinds.NameOf(kind)}/{number}";
        Intensity drawn = intensity.Draw(kind, seed, key);
        using Synthesized reference = generators[0].Generator.Generate(clean, new(kind, drawn, seed, key), cancellation);
        Intensity asked = Rounded(reference.Degraded, clean);
        List<GeneratorScore> scores = [];
        foreach ((string label, IDegradationGenerator generator) in generators)
        {
            using DisposeScope inner = torch.NewDisposeScope();
            long started = Stopwatch.GetTimestamp();
            using Synthesized first = generator.Generate(clean, new(kind, asked, seed, key), cancellation);
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            using Synthesized second = generator.Generate(clean, new(kind, asked, seed, key + "/again"), cancellation);
            Intensity got = Rounded(first.Degraded, clean);
            GeneratorScore score = new(name, kind, label)
            {
                Asked = asked,
                Got = got,
                Drawn = drawn,
                Layout = 1 - Correlation(Layout(first.Degraded - clean), Layout(second.Degraded - clean)),
                Returned = Rms(got) < 0.5 * Rms(asked),
                Edges = Correlation(SobelEdges.Magnitude(Color.ToLuma(first.Degraded)), SobelEdges.Magnitude(Color.ToLuma(clean))),
                Seconds = seconds,
            };
            scores.Add(score);
            seen?.Invoke(score, first.Degraded);
        }
        return scores;
    }

    private static Intensity Rounded(Tensor degraded, Tensor clean)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Intensity.Between((degraded * 255).round() / 255, clean);
    }

    /// <summary>Where how much changed, in blocks: noise is no layout.</summary>
    private static Tensor Layout(Tensor change) =>
        torch.nn.functional.avg_pool2d(change.abs().mean([1], keepdim: true), LayoutBlock, LayoutBlock);

    private static double Rms(Intensity one) => Math.Sqrt(one.Mu * one.Mu + one.Sigma * one.Sigma);

    /// <summary>Pearson's; 1 where neither varies.</summary>
    private static double Correlation(Tensor a, Tensor b)
    {
        Tensor x = a.flatten().to(ScalarType.Float64),
            y = b.flatten().to(ScalarType.Float64);
        (x, y) = (x - x.mean(), y - y.mean());
        double size = Math.Sqrt(x.square().sum().item<double>() * y.square().sum().item<double>());
        return size < 1e-12 ? 1 : (x * y).sum().item<double>() / size;
    }
}

/// <summary>What a generator made of a picture.</summary>
/// <param name="Picture">Name of the picture.</param>
/// <param name="Kind">The degradation.</param>
/// <param name="Generator">Name of the generator.</param>
public sealed record GeneratorScore(string Picture, DegradationKind Kind, string Generator)
{
    /// <summary>What the intensity source drew for this picture.</summary>
    public Intensity Drawn { get; init; }

    /// <summary>What was asked: as near to it as the reference came.</summary>
    public Intensity Asked { get; init; }

    /// <summary>What was made.</summary>
    public Intensity Got { get; init; }

    /// <summary>
    /// 1 - correlation of where how much changed, between two samples: 0 for equal layouts, about 1 for independent ones.
    /// </summary>
    public double Layout { get; init; }

    /// <summary>Whether the picture came back nearly as it was: less than half of the asked change.</summary>
    public bool Returned { get; init; }

    /// <summary>Correlation of the edges (Sobel, luma) of the clean and of the degraded picture.</summary>
    public double Edges { get; init; }

    /// <summary>Time of one sample.</summary>
    public double Seconds { get; init; }

    /// <summary>|mu / asked mu - 1|.</summary>
    public double MuMissed => Math.Abs(Got.Mu / Asked.Mu - 1);

    /// <summary>|sigma / asked sigma - 1|.</summary>
    public double SigmaMissed => Math.Abs(Got.Sigma / Asked.Sigma - 1);

    /// <summary>Whether the reference came within 10 % of what was drawn.</summary>
    public bool IsReachable => Math.Abs(Asked.Mu / Drawn.Mu - 1) <= 0.1 && Math.Abs(Asked.Sigma / Drawn.Sigma - 1) <= 0.1;
}
