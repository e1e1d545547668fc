using System.Globalization;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Kernels and point-spread functions from files: .npy, a text of numbers (one row a line, blanks or commas between), or any picture (the
/// mean of its channels).
/// </summary>
internal static class KernelFile
{
    private const int LongestSide = 2001;

    /// <summary>[rows, columns] float64; the caller owns it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spec">The spec that names it, for errors.</param>
    public static Tensor Read(string path, string spec)
    {
        if (!File.Exists(path))
        {
            string advice = NearestName.Of(path, ["gaussian", "uniform", "motion", "disk"]) is { } near
                ? $"Did you mean \"{near}\"?"
                : "Kernels by name are gaussian, uniform, motion, disk";
            throw new OperatorSpecException($"The kernel \"{path}\" is no file", spec, advice);
        }
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor kernel = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".npy" => Npy.Read(path),
            ".txt" or ".csv" => Text(path),
            _ => Picture(path),
        };
        if (kernel.dim() != 2 || kernel.shape[0] == 0 || kernel.shape[1] == 0)
            throw new OperatorSpecException(
                $"A kernel has rows and columns, but this has the shape [{string.Join(",", kernel.shape)}]",
                path
            );
        if (kernel.shape.Max() > LongestSide)
            throw new OperatorSpecException(
                $"The kernel is {kernel.shape[0]}x{kernel.shape[1]}",
                path,
                $"Kernels have at most {LongestSide} rows and columns"
            );
        return kernel.MoveToOuterDisposeScope();
    }

    private static Tensor Picture(string path)
    {
        using Picture picture = ImageFile.Read(path);
        return picture.Pixels.to(ScalarType.Float64).mean([0L, 1L]);
    }

    private static Tensor Text(string path)
    {
        string[] lines = [.. File.ReadLines(path).Take(LongestSide + 1).Where(line => line.AsSpan().Trim().Length > 0)];
        double[][] rows =
        [
            .. lines.Select(line =>
                line.Split([' ', '\t', ',', ';'], StringSplitOptions.RemoveEmptyEntries)
                    .Select(word =>
                        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                            ? value
                            : throw new OperatorSpecException(
                                $"\"{word}\" is no number",
                                path,
                                "Write one row of the kernel a line, with blanks or commas between"
                            )
                    )
                    .ToArray()
            ),
        ];
        if (rows.Length == 0 || rows.Any(row => row.Length != rows[0].Length))
            throw new OperatorSpecException("The rows of the kernel are not of one length", path);
        return torch.tensor([.. rows.SelectMany(row => row)], dtype: ScalarType.Float64).reshape(rows.Length, rows[0].Length);
    }
}
