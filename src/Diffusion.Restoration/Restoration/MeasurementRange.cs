using System.Globalization;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Brings the values of a measurement's file to [0,1].</summary>
internal static class MeasurementRange
{
    /// <summary>Maps in place.</summary>
    /// <param name="y">In the file's numbers over <paramref name="fullScale"/>.</param>
    /// <param name="wanted">The range, or auto.</param>
    /// <param name="fullScale">What 1 stands for in the file.</param>
    /// <param name="where">The file.</param>
    /// <returns>The range.</returns>
    /// <exception cref="ImageException">The file holds one value only.</exception>
    public static ValueRange Apply(Tensor y, ValueRange wanted, double fullScale, string where)
    {
        ValueRange range = wanted.IsAuto ? Found(y, fullScale, where) : wanted;
        // In double precision and in parts: as exact as a stretched file's values.
        foreach (Tensor part in y.reshape(-1).split(1 << 20))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor numbers = part.to(ScalarType.Float64).mul_(fullScale);
            part.copy_((fullScale > 1 ? numbers.round_() : numbers).sub_(range.Black).div_(range.White - range.Black));
        }
        return range;
    }

    /// <summary>
    /// A word on integers that use fewer bits than they are stored in, and on floats that use a small part of [0,1]; null when there is
    /// nothing to say.
    /// </summary>
    /// <param name="y">In the file's numbers over <paramref name="fullScale"/>; borrowed.</param>
    /// <param name="fullScale">What 1 stands for in the file.</param>
    public static string? NoteOn(Tensor y, double fullScale)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        if (fullScale == 1)
            return Faint(Number(y.max()));
        if (fullScale is not (ushort.MaxValue or short.MaxValue))
            return null;
        double largest = Math.Round(y.max().item<float>() * fullScale);
        foreach (int bits in (int[])[10, 12, 14])
        {
            int full = (1 << bits) - 1;
            if (largest > byte.MaxValue && largest <= full)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"The values end at {largest} of {fullScale}, as those of {bits} bits do; if they are, pass --range 0..{full}"
                );
        }
        return null;
    }

    // What is so dark is hardly a picture to a prior of photographs.
    private static string? Faint(double largest)
    {
        const double Dark = 1.0 / 16;
        return largest is > 0 and < Dark
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"The values end at {largest:R} of 1, which is nearly black; --range 0..{largest:R} stretches them for the restoration and "
                    + $"gives them back as they were"
            )
            : null;
    }

    // The shortest decimal number that is this float.
    private static double Number(Tensor value) =>
        double.Parse(value.item<float>().ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static ValueRange Found(Tensor y, double fullScale, string where)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double low = Number(y.min()) * fullScale,
            high = Number(y.max()) * fullScale;
        if (fullScale > 1 && high <= ushort.MaxValue)
            foreach (int bits in (int[])[8, 10, 12, 14, 16])
                if (Math.Round(high) <= (1 << bits) - 1)
                    return new(0, (1 << bits) - 1);
        return high > low
            ? new(low, high)
            : throw new ImageException("The file holds one value only, which is no range", where, "Pass --range BLACK..WHITE");
    }
}
