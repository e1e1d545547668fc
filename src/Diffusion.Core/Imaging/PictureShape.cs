namespace Diffusion.Imaging;

/// <summary>Checks tensors that are to be written as pictures.</summary>
internal static class PictureShape
{
    /// <summary>Height and width.</summary>
    /// <param name="pixels">[1,C,H,W] or [C,H,W].</param>
    /// <param name="alpha">[1,1,H,W] or null.</param>
    /// <exception cref="ArgumentException">Other shapes.</exception>
    public static (int Height, int Width) Check(Tensor pixels, Tensor? alpha)
    {
        if (pixels.dim() is not (3 or 4) || (pixels.dim() == 4 && pixels.shape[0] != 1) || pixels.numel() == 0)
            throw new ArgumentException($"A picture to be written is [1,C,H,W] or [C,H,W], not {Shapes.Describe(pixels)}.", nameof(pixels));
        (int height, int width) = (checked((int)pixels.shape[^2]), checked((int)pixels.shape[^1]));
        if (alpha is not null && !alpha.shape.SequenceEqual([1, 1, height, width]))
            throw new ArgumentException(
                $"The alpha channel of a {width}x{height} picture is [1,1,{height},{width}], not {Shapes.Describe(alpha)}.",
                nameof(alpha)
            );
        return (height, width);
    }
}
