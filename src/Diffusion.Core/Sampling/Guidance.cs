namespace Diffusion.Sampling;

/// <summary>Classifier-free guidance: estimates with and without a condition, extrapolated.</summary>
public static class Guidance
{
    /// <summary>without + scale (with - without) (Ho and Salimans 2022).</summary>
    /// <param name="with">[N,C,H,W] the estimate with the condition, borrowed.</param>
    /// <param name="without">[N,C,H,W] the estimate without it, borrowed.</param>
    /// <param name="scale">1: the condition alone.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Of(Tensor with, Tensor without, double scale)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (without + scale * (with - without)).MoveToOuterDisposeScope();
    }

    /// <summary>none + text (both - image) + picture (image - none) (Brooks et al., "InstructPix2Pix", 2023, equation 3).</summary>
    /// <param name="both">[N,C,H,W] the estimate with text and picture, borrowed.</param>
    /// <param name="image">[N,C,H,W] the estimate with the picture alone, borrowed.</param>
    /// <param name="none">[N,C,H,W] the estimate with neither, borrowed.</param>
    /// <param name="textScale">Scale of the text.</param>
    /// <param name="imageScale">Scale of the picture.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Of(Tensor both, Tensor image, Tensor none, double textScale, double imageScale)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (none + textScale * (both - image) + imageScale * (image - none)).MoveToOuterDisposeScope();
    }
}
