namespace Diffusion.Checkpoints;

/// <summary>How a checkpoint's tensors compare with a network's parameters.</summary>
/// <param name="Prefix">What precedes the published names in the file, for example <c>params_ema.</c>; empty when nothing does.</param>
/// <param name="Found">Parameters that are in the file with a fitting shape.</param>
/// <param name="Missing">Names of parameters that the file lacks.</param>
/// <param name="Extra">Names behind the prefix that the network does not have, each with the nearest missing name, or null.</param>
/// <param name="Shapes">Tensors of another shape than the parameter has.</param>
/// <param name="Ignored">Tensors that lie outside the prefix: optimizer states, other networks.</param>
/// <param name="Notes">What a user should know, for example that averaged weights were preferred.</param>
public sealed record LoadReport(
    string Prefix,
    int Found,
    IReadOnlyList<string> Missing,
    IReadOnlyList<(string Name, string? Nearest)> Extra,
    IReadOnlyList<ShapeDifference> Shapes,
    int Ignored,
    IReadOnlyList<string> Notes
)
{
    /// <summary>Whether every parameter is there with its shape and nothing else is.</summary>
    public bool Fits => Missing.Count == 0 && Extra.Count == 0 && Shapes.Count == 0;

    /// <summary>One line: the first few of each kind of difference.</summary>
    public string Summary
    {
        get
        {
            if (Fits)
                return $"{Found} parameters fit";
            List<string> parts = [];
            if (Missing.Count > 0)
                parts.Add($"{Missing.Count} missing ({List(Missing)})");
            if (Extra.Count > 0)
                parts.Add($"{Extra.Count} surplus ({List(Extra.Select(Describe))})");
            if (Shapes.Count > 0)
                parts.Add($"{Shapes.Count} of another shape ({List(Shapes.Select(shape => shape.ToString()))})");
            return string.Join(", ", parts);
        }
    }

    private static string Describe((string Name, string? Nearest) extra) =>
        extra.Nearest is null ? Printable.Shorten(extra.Name) : $"{Printable.Shorten(extra.Name)}, nearest is {extra.Nearest}";

    private static string List(IEnumerable<string> items)
    {
        const int Shown = 3;
        string[] first = [.. items.Take(Shown + 1)];
        return string.Join("; ", first.Take(Shown)) + (first.Length > Shown ? "; ..." : "");
    }
}
