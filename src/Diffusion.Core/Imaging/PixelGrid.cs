namespace Diffusion.Imaging;

/// <summary>How an axis of pixels lies on another one: pixel i of the old one at Factor i + Offset of the new one, both from 0.</summary>
/// <param name="Factor">New pixels for an old one.</param>
/// <param name="Offset">Where the old one's first pixel lies.</param>
public readonly record struct PixelAxis(double Factor, double Offset)
{
    /// <summary>The other way round.</summary>
    public PixelAxis Inverse => new(1 / Factor, -Offset / Factor);

    /// <summary>An axis that became longer or shorter: by a factor, or at both ends.</summary>
    /// <param name="from">Pixels before.</param>
    /// <param name="to">Pixels after.</param>
    public static PixelAxis Between(int from, int to)
    {
        // Operators that cut off edges take less than a third of a picture; the smallest factor of others is 2.
        if (2 * Math.Max(from, to) < 3 * Math.Min(from, to))
            return new(1, (to - from) / 2);
        double factor = (double)to / from;
        return new(factor, (factor - 1) / 2);
    }

    /// <summary>Where a place lies, in FITS's counting: the first pixel's middle is 1.</summary>
    internal double Move(double place) => Factor * (place - 1) + Offset + 1;
}

/// <summary>How the pixels of a picture lie on those of another one.</summary>
/// <param name="Across">The columns.</param>
/// <param name="Down">The rows.</param>
public readonly record struct PixelGrid(PixelAxis Across, PixelAxis Down)
{
    /// <summary>The other way round.</summary>
    public PixelGrid Inverse => new(Across.Inverse, Down.Inverse);

    /// <summary>That of a picture which became larger or smaller: by factors, or on all sides.</summary>
    /// <param name="from">Rows and columns before.</param>
    /// <param name="to">Rows and columns after.</param>
    public static PixelGrid Between((int Height, int Width) from, (int Height, int Width) to) =>
        new(PixelAxis.Between(from.Width, to.Width), PixelAxis.Between(from.Height, to.Height));
}
