using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Small;

namespace Diffusion.Training;

/// <summary>
/// A generator of degradations: || v(x_t, clean, t, kind, mu, sigma) - (n - x0) ||^2 with x0 = (degraded - clean) / s, s = sqrt(mu^2 +
/// sigma^2), x_t = (1 - t) x0 + t n; now and then kind and intensity are kept from the network, so that it can be guided.
/// </summary>
public sealed record DegradationTask : PairTask
{
    private const int Shown = 6,
        ShownSide = 192,
        Measured = 48;
    private const double LeastScale = 0.004;

    /// <summary>The network.</summary>
    public DegradationUNetConfig Architecture { get; init; } = new();

    /// <summary>Share of crops whose kind and intensity are not told.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Mean of the logarithm of t / (1 - t), which has standard deviation 1: above 0, more is learned of layouts.</summary>
    public double MeanTime { get; init; } = 0.3;

    /// <inheritdoc/>
    public override Network Create(ComputePolicy policy) => new DegradationUNet(Architecture, policy);

    /// <inheritdoc/>
    public override (Tensor Loss, Tensor Error) Loss(Network network, PairBatch batch, ulong seed, long step, int first)
    {
        int count = batch.Kinds.Count;
        float[] times = new float[count];
        bool[] told = new bool[count];
        for (int i = 0; i < count; i++)
        {
            Draws draws = new(seed ^ 0x6E6D, step, first + i);
            double normal = Math.Sqrt(-2 * Math.Log(1 - draws.Uniform())) * Math.Cos(2 * Math.PI * draws.Uniform());
            times[i] = (float)(1 / (1 + Math.Exp(-MeanTime - normal)));
            told[i] = draws.Uniform() >= Dropout;
        }
        ImageKey[] keys = [.. Enumerable.Range(first, count).Select(i => new ImageKey(((ulong)step << 20) + (uint)i))];
        Tensor noise = new PhiloxNoise(seed ^ 0xF10E, keys).Draw(NoiseRole.Step, batch.Clean.shape);
        Tensor error = Error((DegradationUNet)network, batch, times, told, noise);
        return (error, error);
    }

    private Tensor Error(DegradationUNet network, PairBatch batch, float[] times, bool[] told, Tensor noise)
    {
        int count = times.Length;
        long none = Architecture.Kinds;
        float[] scales = [.. batch.Intensities.Select(i => (float)Math.Max(LeastScale, Math.Sqrt(i.Mu * i.Mu + i.Sigma * i.Sigma)))];
        Tensor condition = network.Tell(
                torch.tensor(batch.Kinds.Select((kind, i) => told[i] ? (long)kind : none).ToArray()),
                torch.tensor(batch.Intensities.Select(i => (float)i.Mu).ToArray()),
                torch.tensor(batch.Intensities.Select(i => (float)i.Sigma).ToArray())
            ),
            t = torch.tensor(times),
            share = t.reshape(count, 1, 1, 1),
            change = (batch.Degraded - batch.Clean) / torch.tensor(scales).reshape(count, 1, 1, 1);
        Tensor velocity = network.Forward((1 - share) * change + share * noise, batch.Clean * 2 - 1, t, condition);
        return (velocity - (noise - change)).square().mean([1, 2, 3]);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, double Value)> Validate(Network network, IReadOnlyList<TrainingPair> held, string sheet)
    {
        if (held.Count == 0)
            return [];
        using ComputeScope scope = new();
        DegradationUNet unet = (DegradationUNet)network;
        DegradationSampler sampler = new(unet, new SmallSettings());
        List<SheetPanel> panels = [];
        List<double> errors = [],
            far = [];
        HashSet<DegradationKind> seen = [];
        foreach ((int i, TrainingPair pair) in held.OrderBy(pair => pair.File.Scene, StringComparer.Ordinal).Index().Take(Measured))
        {
            using DisposeScope inner = torch.NewDisposeScope();
            (Tensor clean, Tensor degraded) = Middle(pair, ShownSide, unet.SizeMultiple);
            Intensity asked = Intensity.Between(degraded, clean);
            PhiloxNoise noise = new(0, [new ImageKey((ulong)i)]);
            PairBatch one = new(clean, degraded, [pair.File.Kind], [asked]);
            float time = (float)((i % 8 + 0.5) / 8);
            errors.Add(Error(unet, one, [time], [true], noise.Draw(NoiseRole.Step, clean.shape)).item<float>());
            if (panels.Count >= 3 * Shown || !seen.Add(pair.File.Kind))
                continue;
            Tensor made = clean + sampler.Sample(clean, pair.File.Kind, asked, noise);
            Intensity got = Intensity.Between(made, clean);
            far.Add(Math.Max(Math.Abs(got.Mu / asked.Mu - 1), Math.Abs(got.Sigma / asked.Sigma - 1)));
            panels.Add(new("clean", clean.DetachFromDisposeScope()));
            panels.Add(new($"{DegradationKinds.NameOf(pair.File.Kind)}, pair", degraded.DetachFromDisposeScope()));
            panels.Add(new("generated", made.DetachFromDisposeScope()));
        }
        Draw(sheet, panels);
        return [("velocity error", errors.Average()), ("intensity missed by", far.Order().ElementAt(far.Count / 2))];
    }

    /// <inheritdoc/>
    public override JsonObject Card() =>
        new()
        {
            ["kind"] = DegradationUNetFamily.Name,
            ["config"] = DegradationUNetConfig.Keys.Write(Architecture),
            ["degradations"] = new JsonArray([.. DegradationKinds.Names.Select(name => (JsonNode)name)]),
        };
}
