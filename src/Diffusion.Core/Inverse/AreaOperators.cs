using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>A rectangle of a picture in pixels.</summary>
public readonly record struct PictureArea(int Top, int Left, int Height, int Width)
{
    /// <summary>The rectangle of a picture reduced by a factor that divides all four numbers.</summary>
    public PictureArea Reduced(int factor) => new(Top / factor, Left / factor, Height / factor, Width / factor);
}

/// <summary>
/// The operators of areas of one picture, for operators that look only at a pixel's surroundings. An area's operator measures the area as
/// if it were a picture of its own: as the whole picture's does, but for
/// what lies nearer to a cut than <see cref="Reach"/>. With it a picture that is too large for the memory is restored piece by piece.
/// </summary>
public sealed class AreaOperators : IDisposable
{
    private readonly Func<PictureArea, LinearOperator> _bind;
    private readonly IDisposable[] _owned;

    /// <param name="period">Areas begin and end at multiples of this.</param>
    /// <param name="reach">How far an output pixel looks.</param>
    /// <param name="reduction">Picture pixels per measurement pixel in each direction; divides the period.</param>
    /// <param name="bind">The operator of an area.</param>
    /// <param name="owned">Disposed with this.</param>
    public AreaOperators(int period, int reach, int reduction, Func<PictureArea, LinearOperator> bind, params IDisposable[] owned) =>
        (Period, Reach, Reduction, _bind, _owned) = (period, reach, reduction, bind, owned);

    /// <summary>Areas begin and end at multiples of this, in pixels.</summary>
    public int Period { get; }

    /// <summary>How far an output pixel looks, in pixels of the picture.</summary>
    public int Reach { get; }

    /// <summary>Picture pixels per measurement pixel in each direction.</summary>
    public int Reduction { get; }

    /// <summary>The operator of an area; the caller disposes it.</summary>
    /// <exception cref="ArgumentException">The area does not lie on multiples of <see cref="Period"/>.</exception>
    public LinearOperator Bind(PictureArea area)
    {
        if (area.Top % Period != 0 || area.Left % Period != 0 || area.Height % Period != 0 || area.Width % Period != 0)
            throw new ArgumentException($"Areas begin and end at multiples of {Period} pixels, unlike {area}.", nameof(area));
        using ComputeScope scope = new();
        return _bind(area);
    }

    /// <summary>This, then <paramref name="second"/> on what it measures.</summary>
    public AreaOperators Then(AreaOperators second) =>
        new(
            CommonMultiple(Period, Reduction * second.Period),
            Reach + Reduction * second.Reach,
            Reduction * second.Reduction,
            area => ComposedOperator.Of(Bind(area), second.Bind(area.Reduced(Reduction))),
            this,
            second
        );

    /// <summary>The smallest number that both periods divide.</summary>
    public static int CommonMultiple(int a, int b)
    {
        int larger = a,
            divisor = b;
        while (divisor != 0)
            (larger, divisor) = (divisor, larger % divisor);
        return a / larger * b;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
    }
}
