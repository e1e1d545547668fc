using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Decides which operator a measurement was made with where only its side file says it.</summary>
internal static class OperatorChoice
{
    /// <summary>The operator that the side file names.</summary>
    /// <exception cref="OperatorSpecException">There is no side file, or its spec is wrong.</exception>
    public static OperatorSpec FromSideFile(OperatorCatalog catalog, Measurement measurement)
    {
        SideFile side = measurement.Side
            ?? throw new OperatorSpecException(
                $"It is not known how \"{measurement.Name}\" was degraded",
                null,
                "Pass -A SPEC, for example -A \"downsample:factor=4\"; diffusion operators list shows them"
            );
        OperatorSpec spec = catalog.Parse(side.Operator);
        return spec switch
        {
            // Masks and kernels are read from the files beside the measurement: they are what was used, whatever version made them and
            // wherever the originals are now.
            Mask { PerChannel: false } when Beside(measurement, side.Mask) is { } mask => new Mask { File = mask },
            Blur { Orientation: KernelOrientation.Convolve } blur when File.Exists(blur.Kernel) || !KernelNames.Contains(blur.Kernel) =>
                Beside(measurement, side.Kernel) is { } kernel ? blur with { Kernel = kernel } : blur,
            _ => spec,
        };
    }

    private static readonly string[] KernelNames = ["gaussian", "uniform", "motion", "disk"];

    // Side files are untrusted: they name a file in their own folder and nowhere else.
    private static string? Beside(Measurement measurement, string? name)
    {
        if (name is null)
            return null;
        if (Path.GetFileName(name) != name)
            throw new DiffusionException("The side file names a file in another folder", name, "Pass -A with the operator");
        string path = Path.Combine(measurement.Folder, name);
        return File.Exists(path)
            ? path
            : throw new DiffusionException("A file that the side file names is missing", path, "Put it back, or pass -A with the operator");
    }
}
