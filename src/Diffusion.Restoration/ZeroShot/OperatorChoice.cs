using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Decides which operator a measurement was made with where only its side file says it.</summary>
internal static class OperatorChoice
{
    /// <summary>
    /// The operator that a measurement will be restored with: the user's, or its side file's; null where that is still to be found out.
    /// </summary>
    public static OperatorSpec? Known(string input, RestoreOptions options)
    {
        OperatorCatalog catalog = options.Operators ?? ShippedOperators.Catalog;
        if (options.Operator is { } given)
            return given.Read(catalog);
        if (input == ImageFile.Standard)
            return null;
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(input)) ?? "";
            return SideFile.Find(input) is { } side ? FromSideFile(catalog, side, folder, Path.GetFileNameWithoutExtension(input)) : null;
        }
        catch (DiffusionException)
        {
            return null; // Said when it is restored.
        }
    }

    /// <summary>The operator that a side file names.</summary>
    /// <param name="catalog">Where names are looked up.</param>
    /// <param name="side">The side file; null: there is none.</param>
    /// <param name="folder">The folder in which it lies.</param>
    /// <param name="name">The measurement's name.</param>
    /// <exception cref="OperatorSpecException">There is no side file, or its spec is wrong.</exception>
    /// <exception cref="DiffusionException">A file that it names is missing, or lies in another folder.</exception>
    public static OperatorSpec FromSideFile(OperatorCatalog catalog, SideFile? side, string folder, string name)
    {
        if (side is null)
            throw new OperatorSpecException(
                $"It is not known how \"{name}\" was degraded",
                null,
                "Pass -A SPEC, for example -A \"downsample:factor=4\"; diffusion operators list shows them"
            );
        OperatorSpec spec = catalog.Parse(side.Operator);
        return spec switch
        {
            // Masks and kernels are read from the files beside the measurement: they are what was used, whatever version made them and
            // wherever the originals are now.
            Mask { PerChannel: false } when side.Beside(side.Mask, folder) is { } mask => new Mask { File = mask },
            Blur { Orientation: KernelOrientation.Convolve } blur when File.Exists(blur.Kernel) || !KernelNames.Contains(blur.Kernel) =>
                side.Beside(side.Kernel, folder) is { } kernel ? blur with { Kernel = kernel } : blur,
            _ => spec,
        };
    }

    private static readonly string[] KernelNames = ["gaussian", "uniform", "motion", "disk"];
}
