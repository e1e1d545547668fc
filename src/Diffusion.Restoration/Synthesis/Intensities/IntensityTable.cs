using System.Text.Json;
using System.Text.Json.Serialization;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.Intensities;

/// <summary>
/// How strong degradations are in sets of real pairs: for each degradation and data set the pairs in bins of mu and of sigma, and the pairs
/// of all of its data sets in bins of both.
/// </summary>
public sealed record IntensityTable
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };
    private static readonly Lazy<IntensityTable> OfThePaper = new(ReadPublished);

    /// <summary>The version of the format.</summary>
    public const int CurrentSchema = 1;

    /// <summary>The version that the file was written in.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>Where the numbers come from.</summary>
    public string? Source { get; init; }

    /// <summary>Number of bins.</summary>
    public int Bins { get; init; } = 128;

    /// <summary>Lowest and highest mu.</summary>
    public double[] MuRange { get; init; } = [0, 0.7];

    /// <summary>Lowest and highest sigma.</summary>
    public double[] SigmaRange { get; init; } = [0, 0.4];

    /// <summary>By the degradation's name.</summary>
    public required Dictionary<string, DegradationHistogram> Degradations { get; init; }

    /// <summary>GenDeg's published tables: 214 161 pairs of 21 data sets.</summary>
    public static IntensityTable Published => OfThePaper.Value;

    /// <summary>Reads a table as <c>synthesize stats</c> writes it.</summary>
    /// <exception cref="DiffusionException">It is none, is damaged or of another version.</exception>
    public static IntensityTable Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (FileNotFoundException e)
        {
            throw new DiffusionException("There is no such table", path, "Make one with diffusion synthesize stats PAIRS", e);
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format) + "\n";

    /// <summary>The bin of a value: the last whose lower edge is not above it; what lies beyond the range is in the last.</summary>
    /// <param name="value">mu or sigma, 0 or more.</param>
    /// <param name="range">Lowest and highest.</param>
    /// <exception cref="ArgumentException">The value lies below the range.</exception>
    public int BinOf(double value, double[] range)
    {
        if (!(value >= range[0]))
            throw new ArgumentException($"{value} lies below the range from {range[0]}.", nameof(value));
        int bin = Math.Clamp((int)((value - range[0]) / (range[1] - range[0]) * Bins), 0, Bins - 1);
        // The edges themselves decide, not the quotient's rounding.
        while (bin < Bins - 1 && Edge(bin + 1, range) <= value)
            bin++;
        while (bin > 0 && Edge(bin, range) > value)
            bin--;
        return bin;
    }

    /// <summary>The lower edge of a bin.</summary>
    public double Edge(int bin, double[] range) => range[0] + bin * ((range[1] - range[0]) / Bins);

    private static IntensityTable Read(Stream stream, string path)
    {
        IntensityTable? table;
        try
        {
            table = JsonSerializer.Deserialize<IntensityTable>(stream, Format);
        }
        catch (JsonException e)
        {
            throw new DiffusionException("This is no table of intensities", path, "Make one with diffusion synthesize stats PAIRS", e);
        }
        if (table is null || table.Schema > CurrentSchema)
            throw new DiffusionException(
                $"The table is of version {table?.Schema}, this program reads {CurrentSchema}",
                path,
                "Update diffusion"
            );
        bool isSound =
            table is { Bins: > 0 and <= 4096, MuRange: [>= 0, _], SigmaRange: [>= 0, _], Degradations: not null }
            && table.MuRange[1] > table.MuRange[0]
            && table.SigmaRange[1] > table.SigmaRange[0]
            && table.Degradations.Values.All(one => one is not null && one.IsSound(table.Bins));
        return isSound
            ? table
            : throw new DiffusionException("The table holds impossible values", path, "Make one with diffusion synthesize stats PAIRS");
    }

    private static IntensityTable ReadPublished()
    {
        using Stream stream = typeof(IntensityTable).Assembly.GetManifestResourceStream("Diffusion.Synthesis.published.json")!;
        return Read(stream, "published tables");
    }
}

/// <summary>The pairs of one degradation.</summary>
public sealed record DegradationHistogram
{
    /// <summary>By name.</summary>
    public required SortedDictionary<string, DataSetHistogram> Datasets { get; init; }

    /// <summary>[mu bin, sigma bin, pairs], of all data sets together.</summary>
    public required int[][] Joint { get; init; }

    internal bool IsSound(int bins) =>
        Datasets is { Count: > 0 }
        && Datasets.Values.All(set => set is not null && set.IsSound(bins))
        && Joint is not null
        && Joint.All(cell => cell is [>= 0, >= 0, > 0] && cell[0] < bins && cell[1] < bins);
}

/// <summary>The pairs of one data set.</summary>
public sealed record DataSetHistogram
{
    /// <summary>How often it is drawn from beside one of weight 1; null: 1.</summary>
    public double? Weight { get; init; }

    /// <summary>Pairs in each bin of mu.</summary>
    public required int[] Mu { get; init; }

    /// <summary>Pairs in each bin of sigma.</summary>
    public required int[] Sigma { get; init; }

    internal bool IsSound(int bins) =>
        Mu?.Length == bins
        && Sigma?.Length == bins
        && Weight is null or > 0
        && Mu.All(n => n >= 0)
        && Mu.Any(n => n > 0)
        && Sigma.All(n => n >= 0)
        && Sigma.Any(n => n > 0);
}
