using System.Globalization;

namespace Diffusion.Synthesis.Intensities;

/// <summary>How strong the samples of a set shall be, in one of four forms.</summary>
public abstract record IntensitySource
{
    /// <summary>What is written for the published tables.</summary>
    public const string PublishedName = "published";

    /// <summary>The intensity of a sample; equal for equal seed and key.</summary>
    /// <param name="kind">The degradation.</param>
    /// <param name="seed">The user's seed.</param>
    /// <param name="key">The sample's key.</param>
    public Intensity Draw(DegradationKind kind, ulong seed, string key) => DrawWithDataset(kind, seed, key).Intensity;

    /// <summary>The intensity of a sample, and the data set that it is drawn from; null: from none.</summary>
    /// <inheritdoc cref="Draw(DegradationKind, ulong, string)"/>
    public (Intensity Intensity, string? Dataset) DrawWithDataset(DegradationKind kind, ulong seed, string key) =>
        Draw(kind, new SampleDraws(seed, key + "/intensity"));

    /// <summary>Checks that it has something for a degradation.</summary>
    /// <exception cref="ArgumentException">It has not.</exception>
    public virtual void Check(DegradationKind kind) { }

    /// <summary>Draws.</summary>
    private protected abstract (Intensity Intensity, string? Dataset) Draw(DegradationKind kind, SampleDraws draws);

    /// <summary>
    /// Reads <c>mu=0.12,sigma=0.08</c>; <c>published</c> or <c>published:Rain1400</c>; <c>stats:FILE</c> or <c>stats:FILE:NAME</c>;
    /// <c>level=0.5</c> or <c>level=0.2..0.8</c>.
    /// </summary>
    /// <exception cref="ArgumentException">It is none of these.</exception>
    /// <exception cref="Runtime.DiffusionException">The table cannot be read.</exception>
    public static IntensitySource Parse(string text)
    {
        if (text.StartsWith(PublishedName, StringComparison.Ordinal) && text[PublishedName.Length..] is "" or [':', _, ..])
            return new TableIntensity(
                IntensityTable.Published,
                PublishedName,
                text.Length > PublishedName.Length ? text[(PublishedName.Length + 1)..] : null
            )
            {
                Uniforms = true,
            };
        if (text.StartsWith("stats:", StringComparison.Ordinal))
            return OfFile(text[6..]);
        if (text.StartsWith("level=", StringComparison.Ordinal) && Range(text[6..]) is { } levels)
            return new LevelIntensity(levels.Low, levels.High);
        string[] parts = text.Split(',');
        if (
            parts is [var first, var second]
            && first.StartsWith("mu=", StringComparison.Ordinal)
            && second.StartsWith("sigma=", StringComparison.Ordinal)
            && Number(first[3..]) is > 0 and < 1 and var mu
            && Number(second[6..]) is > 0 and < 1 and var sigma
        )
            return new FixedIntensity(new Intensity(mu, sigma));
        throw new ArgumentException(
            $"\"{text}\" is no intensity. Write mu=0.12,sigma=0.08 (both between 0 and 1), published or published:DATASET, stats:FILE, "
                + "or level=0.5 or level=0.2..0.8 (between 0 and 1)."
        );
    }

    private static TableIntensity OfFile(string rest)
    {
        // A file's name may hold colons; a data set follows the last one.
        int colon = rest.LastIndexOf(':');
        (string file, string? dataset) = File.Exists(rest) || colon <= 1 ? (rest, null) : (rest[..colon], rest[(colon + 1)..]);
        IntensityTable table = IntensityTable.Read(file);
        return new TableIntensity(table, $"stats:{Fingerprint(table)}", dataset);
    }

    private static string Fingerprint(IntensityTable table) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(table.ToJson())))[..16];

    private static (double Low, double High)? Range(string text)
    {
        string[] ends = text.Split("..");
        if (ends.Length > 2 || Number(ends[0]) is not (>= 0 and <= 1 and var low) || Number(ends[^1]) is not (>= 0 and <= 1 and var high))
            return null;
        return low <= high ? (low, high) : null;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
}

/// <summary>The same pair for every sample.</summary>
/// <param name="Value">The pair.</param>
public sealed record FixedIntensity(Intensity Value) : IntensitySource
{
    private protected override (Intensity Intensity, string? Dataset) Draw(DegradationKind kind, SampleDraws draws) => (Value, null);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"mu={Value.Mu},sigma={Value.Sigma}");
}

/// <summary>
/// A level from 0, barely seen, to 1, as strong as the strongest twentieth of the published pairs: mu and sigma go from the lower to the
/// upper pair of a degradation in the logarithm.
/// </summary>
/// <param name="Low">The lowest level.</param>
/// <param name="High">The highest level; levels between are equally likely.</param>
public sealed record LevelIntensity(double Low, double High) : IntensitySource
{
    /// <summary>The pairs of level 0 and level 1.</summary>
    public static (Intensity Zero, Intensity One) EndsOf(DegradationKind kind) =>
        kind switch
        {
            DegradationKind.Haze => (new(0.05, 0.044), new(0.25, 0.15)),
            DegradationKind.Rain => (new(0.02, 0.034), new(0.16, 0.125)),
            DegradationKind.Snow => (new(0.03, 0.045), new(0.2, 0.135)),
            DegradationKind.MotionBlur => (new(0.012, 0.02), new(0.055, 0.068)),
            DegradationKind.LowLight => (new(0.08, 0.055), new(0.27, 0.18)),
            _ => (new(0.012, 0.045), new(0.1, 0.13)),
        };

    /// <summary>The pair of a level.</summary>
    public static Intensity At(DegradationKind kind, double level)
    {
        (Intensity zero, Intensity one) = EndsOf(kind);
        return new(zero.Mu * Math.Pow(one.Mu / zero.Mu, level), zero.Sigma * Math.Pow(one.Sigma / zero.Sigma, level));
    }

    private protected override (Intensity Intensity, string? Dataset) Draw(DegradationKind kind, SampleDraws draws) =>
        (At(kind, draws.Uniform(Low, High)), null);

    /// <inheritdoc/>
    public override string ToString() =>
        Low == High
            ? string.Create(CultureInfo.InvariantCulture, $"level={Low}")
            : string.Create(CultureInfo.InvariantCulture, $"level={Low}..{High}");
}

/// <summary>A draw from a table of real pairs.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">What the table is called in manifests.</param>
/// <param name="Dataset">Only this data set of it; null: any.</param>
public sealed record TableIntensity(IntensityTable Table, string Name, string? Dataset) : IntensitySource
{
    /// <summary>Whether one of 20 samples is uniform over the range of its data set, as published.</summary>
    public bool Uniforms { get; init; }

    /// <inheritdoc/>
    public override void Check(DegradationKind kind) => TableSampling.Check(Table, kind, Dataset);

    private protected override (Intensity Intensity, string? Dataset) Draw(DegradationKind kind, SampleDraws draws)
    {
        bool uniform = Uniforms && draws.Uniform() * TableSampling.UniformEvery < 1;
        return TableSampling.Draw(Table, kind, Dataset, uniform, new Draws(draws));
    }

    /// <inheritdoc/>
    public override string ToString() => Dataset is null ? Name : $"{Name}:{Dataset}";

    private sealed class Draws(SampleDraws draws) : ITableDraws
    {
        public double Uniform() => draws.Uniform();

        public int Count(int total) => 1 + (int)Math.Min(total - 1, total * draws.Uniform());
    }
}
