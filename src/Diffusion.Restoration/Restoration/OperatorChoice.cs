using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Decides which operator a measurement was made with: the user's word, or the side file's.</summary>
internal static class OperatorChoice
{
    /// <summary>The spec as text.</summary>
    /// <exception cref="OperatorSpecException">Neither says it.</exception>
    public static string Text(RestoreOptions options, Measurement measurement)
    {
        if (options.Operator is { } given) return given;
        if (measurement.Side is not { } side)
            throw new OperatorSpecException($"It is not known how \"{measurement.Name}\" was degraded", null, "Pass -A SPEC, for example -A \"downsample:factor=4\"; diffusion operators list shows them");
        // A mask is read from the file beside, so that it is the one that was used whatever version made it.
        bool single = !side.Operator.Contains('|', StringComparison.Ordinal);
        if (side.Mask is { } mask && single) return $"mask:file=\"{FileBeside(measurement, mask)}\"";
        return side.Operator;
    }

    /// <summary>The spec.</summary>
    public static OperatorSpec Parse(RestoreOptions options, OperatorCatalog catalog, Measurement measurement) => catalog.Parse(Text(options, measurement));

    // Side files are untrusted: they name a file in their own folder and nowhere else.
    private static string FileBeside(Measurement measurement, string name)
        => Path.GetFileName(name) == name ? Path.Combine(measurement.Folder, name)
            : throw new DiffusionException("The side file names a file in another folder", name, "Pass -A with the operator");
}
