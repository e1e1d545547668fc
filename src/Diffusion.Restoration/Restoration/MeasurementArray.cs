using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Reads measurements from arrays of numbers.</summary>
internal static class MeasurementArray
{
    private const int Float = 32;

    // What degrade calls its measurements, and others theirs.
    private static readonly string[] Names = ["y", "kspace", "sinogram"];

    /// <summary>Whether a file holds an array and no picture; FITS files are pictures.</summary>
    public static bool Holds(string path) => ImageFormats.FromExtension(path) is null && DataFile.IsArray(path);

    /// <summary>
    /// Reads an array: [rows, columns], or with colours in front or behind; any shape where a side file says what it is. Integers are
    /// divided by the largest value of their type.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Which array.</param>
    /// <param name="side">Its side file.</param>
    /// <param name="shape">The measurement's shape where the side file says it; then the picture holds the values in one row.</param>
    /// <exception cref="ImageException">No such array, complex, or of a shape that says nothing.</exception>
    public static Picture Read(string path, MeasurementOptions options, SideFile? side, out long[]? shape)
    {
        using NumericArray array = Select(path, new() { Key = options.Key, Hdu = options.Hdu });
        if (array.Type.IsComplex())
            throw new ImageException(
                "The measurement is complex",
                path,
                "Name the operator of complex measurements, such as -A fourier:mask=mask.npy, which takes real and imaginary parts"
            );
        double fullScale = FullScale(array.Type);
        Tensor values = (fullScale == 1 ? array.Values : array.Values.to(ScalarType.Float64) / fullScale).to(ScalarType.Float32).clone();
        shape = side is not null && side.OutputSize.Aggregate(1L, (a, b) => a * b) == values.numel() ? [1, .. side.OutputSize] : null;
        return new Picture(shape is null ? AsPicture(values, options.Page, path).unsqueeze(0) : values.reshape(1, 1, 1, -1))
        {
            Name = Path.GetFileNameWithoutExtension(path),
            FullScale = fullScale,
            BitDepth =
                shape is not null || fullScale is > 1 and <= byte.MaxValue ? 8
                : fullScale == 1 ? 32
                : 16,
            Notes = array.Notes,
        };
    }

    /// <summary>How many pictures an array holds, one behind the other.</summary>
    /// <exception cref="ImageException">No such array.</exception>
    public static int PagesOf(string path, MeasurementOptions options)
    {
        using NumericArray array = Select(path, new() { Key = options.Key, Hdu = options.Hdu });
        return PagesOf(Trimmed(array.Values.shape));
    }

    // [pages, rows, columns], with colours behind or before the rows; colours alone are no pages.
    private static int PagesOf(long[] shape) =>
        shape switch
        {
            [_, _, 1 or 3] => 1,
            [_, _, _] or [_, _, _, 1 or 3] or [_, 1 or 3, _, _] => (int)Math.Min(shape[0], int.MaxValue),
            _ => 1,
        };

    private static long[] Trimmed(long[] shape)
    {
        while (shape.Length > 2 && shape[0] == 1)
            shape = shape[1..];
        return shape;
    }

    /// <summary>Reads an own array for an operator that takes it.</summary>
    /// <exception cref="DiffusionException">There is none, or it is no measurement of the operator.</exception>
    public static Measurement ReadOwn(string path, MeasurementOptions options, OperatorSpec spec)
    {
        using NumericArray array = Select(path, new() { Key = options.Key, Hdu = options.Hdu });
        if (options.Range is { IsAuto: false, Black: not 0 } range)
            throw new ImageException(
                $"The range {range} has a black of its own, but what is measured here are sums, of which black is 0",
                path,
                FormattableString.Invariant($"Write --range 0..{range.White:R}, or subtract it before")
            );
        double? white = options.Range is { IsAuto: false } given ? given.White : null;
        OwnMeasurement own = spec.Own(array, new OwnReading(path, white));
        return new Measurement(own.Y, Path.GetFileNameWithoutExtension(path))
        {
            Own = own,
            Range = new ValueRange(0, own.White),
            BitDepth = options.Depth ?? Float,
            Notes = [.. array.Notes, .. own.Notes],
            Label = options.Label,
        };
    }

    private static NumericArray Select(string path, ArraySelection selection)
    {
        try
        {
            return DataFile.Read(path, selection);
        }
        catch (ImageException) when (selection.Key is null)
        {
            foreach (string name in Names)
            {
                try
                {
                    return DataFile.Read(path, selection with { Key = name });
                }
                catch (ImageException) { }
            }
            throw;
        }
    }

    private static Tensor AsPicture(Tensor values, int? page, string path)
    {
        long[] shape = Trimmed(values.shape);
        int pages = PagesOf(shape);
        values = values.reshape(shape);
        if (page > pages)
            throw new ImageException($"There is no page {page}", path, $"The array has pages 1 to {pages}");
        if (page is { } chosen && pages > 1)
        {
            values = values[chosen - 1].clone();
            shape = values.shape;
        }
        return shape switch
        {
            [_, _] when values.numel() > 0 => values.unsqueeze(0),
            [1 or 3, _, _] => values,
            [_, _, 1 or 3] => values.permute(2, 0, 1).contiguous(),
            _ => throw new ImageException(
                $"A measurement is [rows, columns], with 3 colours in front or behind, but this is [{string.Join(", ", values.shape)}]",
                path,
                pages > 1
                    ? $"Restore its {pages} pages with --pages all, or one with --pages N"
                    : "Save one picture, or keep the .json file that diffusion degrade wrote beside it"
            ),
        };
    }

    private static double FullScale(SampleType type) =>
        type switch
        {
            SampleType.UInt8 => byte.MaxValue,
            SampleType.Int8 => sbyte.MaxValue,
            SampleType.UInt16 => ushort.MaxValue,
            SampleType.Int16 => short.MaxValue,
            SampleType.UInt32 => uint.MaxValue,
            SampleType.Int32 => int.MaxValue,
            SampleType.UInt64 => ulong.MaxValue,
            SampleType.Int64 => long.MaxValue,
            _ => 1,
        };
}
