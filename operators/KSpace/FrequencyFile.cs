using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Reads the masks and the coils' sensitivity maps of magnetic-resonance imaging.</summary>
internal static class FrequencyFile
{
    /// <summary>
    /// Which frequencies are measured, in the order of the file: [rows, columns], or one line that holds for every row (or, where only that
    /// fits, for every column).
    /// </summary>
    /// <param name="path">An array or a picture; more than half of the largest value is measured.</param>
    /// <param name="height">Rows of frequencies.</param>
    /// <param name="width">Columns of frequencies.</param>
    /// <param name="invert">Whether what is marked is missing.</param>
    /// <param name="rows">Whether a line says which rows are measured, though it could say which columns.</param>
    /// <returns>[height, width] bool; the caller owns it.</returns>
    /// <exception cref="OperatorSpecException">No mask, or of another size.</exception>
    public static Tensor Mask(string path, int height, int width, bool invert, bool rows = false)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using NumericArray array = Read(path, "mask");
        Tensor values = array.Values.is_complex() ? array.Values.abs() : array.Values.nan_to_num(0, 0, 0);
        long[] shape = [.. values.shape];
        long[] kept = [.. shape.Where(size => size != 1)];
        values = values.reshape(kept);
        Tensor mask = values.gt(values.max() / 2);
        mask = kept switch
        {
            [var h, var w] when (h, w) == (height, width) => mask,
            [var n] when n == width && !(rows && n == height) => mask.expand(height, width),
            [var n] when n == height => mask.unsqueeze(1).expand(height, width),
            _ => throw new OperatorSpecException(
                $"The mask is [{string.Join(", ", shape)}], but the frequencies are {height}x{width} (height x width)",
                path,
                "Give a plane of that size, or one line for all rows or all columns"
            ),
        };
        return (invert ? mask.logical_not() : mask.clone()).MoveToOuterDisposeScope();
    }

    /// <summary>The complex sensitivity of each coil.</summary>
    /// <returns>[coils,H,W] complex64; the caller owns it.</returns>
    /// <exception cref="OperatorSpecException">No maps, or of another size.</exception>
    public static Tensor Maps(string path, int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using NumericArray array = Read(path, "maps", "sens_maps", "sensitivity_maps", "sensitivities", "smaps");
        Tensor maps = array.Values;
        if (!maps.is_complex() && maps.dim() > 1 && maps.shape[^1] == 2)
            maps = torch.view_as_complex(maps.to(ScalarType.Float32).contiguous());
        while (maps.dim() > 3 && maps.shape[0] == 1)
            maps = maps[0];
        if (maps.dim() == 2)
            maps = maps.unsqueeze(0);
        if (maps.dim() == 3 && maps.shape[1] != height && (maps.shape[0], maps.shape[1]) == (height, width))
            maps = maps.permute(2, 0, 1);
        if (maps.dim() != 3 || maps.shape[1] != height || maps.shape[2] != width)
            throw new OperatorSpecException(
                $"The sensitivity maps are [{string.Join(", ", array.Values.shape)}], but the picture is {height}x{width} (height x width)",
                path,
                "Give [coils, rows, columns], complex"
            );
        return maps.to(ScalarType.ComplexFloat32).nan_to_num(0, 0, 0).contiguous().MoveToOuterDisposeScope();
    }

    // The only array of the file, or the one of several that bears a usual name.
    private static NumericArray Read(string path, params string[] names)
    {
        try
        {
            return DataFile.Read(path);
        }
        catch (ImageException exception)
        {
            foreach (string name in names)
            {
                try
                {
                    return DataFile.Read(path, new ArraySelection { Key = name });
                }
                catch (ImageException) { }
            }
            throw new OperatorSpecException(exception.What, exception.Where, exception.Remedy, exception);
        }
    }
}
