using System.Text.Json.Nodes;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Synthesis.DataSets;

/// <summary>What decides the samples of a set, besides its pictures.</summary>
public sealed record SetOptions
{
    /// <summary>The degradations.</summary>
    public required IReadOnlyList<DegradationKind> Kinds { get; init; }

    /// <summary>How strong they are.</summary>
    public required IntensitySource Intensity { get; init; }

    /// <summary>The generator's name.</summary>
    public required string Generator { get; init; }

    /// <summary>Samples of each picture and degradation.</summary>
    public int PerImage
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentException($"Samples per picture must be at least 1, not {value}.");
    } = 1;

    /// <summary>The seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>The layout.</summary>
    public SetFormat Format { get; init; }

    /// <summary>Samples of one tar file.</summary>
    public int PerShard
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentException($"Samples per shard must be at least 1, not {value}.");
    } = 100;

    /// <summary>As the set's file holds them.</summary>
    public JsonObject ToJson() =>
        new()
        {
            ["degradations"] = new JsonArray([.. Kinds.Select(kind => (JsonNode)DegradationKinds.NameOf(kind))]),
            ["per_image"] = PerImage,
            ["intensity"] = Intensity.ToString(),
            ["generator"] = Generator,
            ["seed"] = Seed,
            ["format"] = Format.ToString().ToLowerInvariant(),
            ["per_shard"] = Format == SetFormat.WebDataset ? PerShard : null,
        };
}
