using System.Globalization;
using System.Text.Json.Nodes;

namespace Diffusion.Synthesis.DataSets;

/// <summary>A clean picture.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Sha256">Of the file.</param>
/// <param name="DepthSha256">Of its depth map; null: it has none.</param>
public sealed record SetSource(string Path, string Sha256, string? DepthSha256 = null)
{
    private const int LongestStem = 48;

    /// <summary>The file's name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>A name for its files: letters, digits, - and _, made unique by what the file holds.</summary>
    public string Stem
    {
        get
        {
            string name = System.IO.Path.GetFileNameWithoutExtension(Path);
            string safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
            return $"{(safe.Length > LongestStem ? safe[..LongestStem] : safe)}-{Sha256[..10]}";
        }
    }
}

/// <summary>One sample that a set shall have.</summary>
/// <param name="Source">The clean picture.</param>
/// <param name="Kind">The degradation.</param>
/// <param name="Index">Which of the picture's samples of this degradation, from 0.</param>
public sealed record SetSample(SetSource Source, DegradationKind Kind, int Index)
{
    /// <summary>Its name in the set.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{Source.Stem}_{DegradationKinds.NameOf(Kind)}_{Index:D2}");

    /// <summary>What its random numbers are keyed by: content, not names or order.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{Source.Sha256}/{DegradationKinds.NameOf(Kind)}/{Index}");

    /// <summary>The clean picture's place in the set, where pictures are files.</summary>
    public string CleanPath => $"clean/{Source.Stem}.png";

    /// <summary>The degraded picture's place in the set, where pictures are files.</summary>
    public string DegradedPath => $"degraded/{DegradationKinds.NameOf(Kind)}/{Id}.png";

    /// <summary>What decides it, the set's options included.</summary>
    public JsonObject Settings(SetOptions options)
    {
        JsonObject settings = new()
        {
            ["source_sha256"] = Source.Sha256,
            ["kind"] = DegradationKinds.NameOf(Kind),
            ["index"] = Index,
            ["seed"] = options.Seed,
            ["intensity"] = options.Intensity.ToString(),
            ["generator"] = options.Generator,
        };
        if (Source.DepthSha256 is { } depth)
            settings["depth_sha256"] = depth;
        return settings;
    }
}
