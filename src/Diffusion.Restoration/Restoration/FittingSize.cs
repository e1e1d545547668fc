using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Finds the crop of a picture that an operator can take.</summary>
internal static class FittingSize
{
    private const int LargestFactor = 64;

    /// <summary>
    /// The shape nearest to <paramref name="picture"/>, with sides that are multiples of a common factor, that the spec can be bound to.
    /// Rows are lost below, columns on the right.
    /// </summary>
    /// <exception cref="OperatorSpecException">There is none.</exception>
    public static ImageShape Of(OperatorSpec spec, ImageShape picture)
    {
        if (Problem(spec, picture) is not { } problem)
            return picture;
        IEnumerable<ImageShape> crops = Enumerable
            .Range(2, LargestFactor - 1)
            .Select(factor => picture with { Height = picture.Height / factor * factor, Width = picture.Width / factor * factor })
            .Where(crop => crop is { Height: > 0, Width: > 0 })
            .Distinct()
            .OrderByDescending(crop => crop.Count);
        foreach (ImageShape crop in crops)
            if (Problem(spec, crop) is null)
                return crop;
        throw problem;
    }

    private static OperatorSpecException? Problem(OperatorSpec spec, ImageShape shape)
    {
        try
        {
            spec.Bind(shape).Dispose();
            return null;
        }
        catch (OperatorSpecException e)
        {
            return e;
        }
    }
}
