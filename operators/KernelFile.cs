using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Kernels and point-spread functions from files: any array of one plane, or any picture (the mean of its channels).</summary>
internal static class KernelFile
{
    private const int LongestSide = 2001,
        MostListed = 15;

    /// <summary>[rows, columns] float64; the caller owns it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spec">The spec that names it, for errors.</param>
    /// <param name="selection">Which array or plane; null for the only one.</param>
    /// <exception cref="OperatorSpecException">No such file, no kernel in it, or several and none chosen.</exception>
    public static Tensor Read(string path, string spec, ArraySelection? selection = null)
    {
        if (!File.Exists(path))
        {
            string advice = NearestName.Of(path, ["gaussian", "uniform", "motion", "disk"]) is { } near
                ? $"Did you mean \"{near}\"?"
                : "Kernels by name are gaussian, uniform, motion, disk";
            throw new OperatorSpecException($"The kernel \"{path}\" is no file", spec, advice);
        }
        using DisposeScope scope = torch.NewDisposeScope();
        using NumericArray array = Open(path, selection);
        Tensor kernel = Plane(array, path, selection?.Page);
        if (kernel.shape.Max() > LongestSide)
            throw new OperatorSpecException(
                $"The kernel is {kernel.shape[0]}x{kernel.shape[1]}",
                path,
                $"Kernels have at most {LongestSide} rows and columns"
            );
        return kernel.to(ScalarType.Float64).clone().MoveToOuterDisposeScope();
    }

    private static NumericArray Open(string path, ArraySelection? selection)
    {
        try
        {
            return DataFile.Read(path, selection);
        }
        catch (ImageException exception)
        {
            throw new OperatorSpecException(exception.What, exception.Where, exception.Remedy, exception);
        }
    }

    /// <summary>The rows and columns of an array without its axes of length one.</summary>
    private static Tensor Plane(NumericArray array, string path, int? page)
    {
        Tensor values = array.Values;
        if (array.Type.IsComplex())
            throw new OperatorSpecException("The kernel's values are complex", path, "Write its real part, where that is what blurs");
        long[] shape = [.. values.shape.Where(size => size != 1)];
        // A row or a column keeps its direction; of a stack that has both, the last two axes count.
        if (page > 1 && shape.Length <= 2 && !array.Paged)
            throw new OperatorSpecException($"There is no plane {page}", path, "The file has one plane: leave page out");
        if (shape.Length <= 2 && values.numel() > 0)
            return values.dim() < 2 ? values.reshape(1, -1)
                : shape.Length == 2 ? values.reshape(shape)
                : values.reshape(values.numel() / values.shape[^1], values.shape[^1]);
        if (shape.Length != 3 || values.numel() == 0)
            throw new OperatorSpecException(
                $"A kernel has rows and columns, but this has the shape [{string.Join(",", values.shape)}]",
                path,
                "Write one plane"
            );
        Tensor planes = values.reshape(shape);
        if (page is { } chosen && !array.Paged)
            return chosen >= 1 && chosen <= shape[0]
                ? planes[chosen - 1]
                : throw new OperatorSpecException($"There is no plane {chosen}", path, $"The file has planes 1 to {shape[0]}");
        double[] sharpness = [.. Enumerable.Range(0, (int)shape[0]).Select(p => Sharpness(planes[p]))];
        int sharpest = Array.IndexOf(sharpness, sharpness.Max());
        throw new OperatorSpecException(
            $"A kernel has one plane, but this file has {shape[0]}, with the sharpness {List(sharpness)}",
            path,
            $"Choose one with page=1 to page={shape[0]}; the sharpest is page={sharpest + 1}"
        );
    }

    /// <summary>The sum of squares over the squared sum: 1 for a point, 1 over the number of pixels for an even spread.</summary>
    private static double Sharpness(Tensor plane)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor values = plane.to(ScalarType.Float64);
        double sum = values.abs().sum().item<double>();
        return sum == 0 ? 0 : values.square().sum().item<double>() / (sum * sum);
    }

    private static string List(double[] sharpness)
    {
        IEnumerable<int> pages = Enumerable.Range(0, sharpness.Length);
        if (sharpness.Length > MostListed)
            pages = pages.OrderByDescending(p => sharpness[p]).Take(MostListed).Order();
        string list = string.Join(", ", pages.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p + 1}: {sharpness[p]:0.0000}")));
        return sharpness.Length > MostListed ? list + " (the others are less sharp)" : list;
    }
}
