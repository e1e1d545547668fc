namespace Diffusion.Restoration;

/// <summary>Carries transparency through a restoration: it is no part of the measurement.</summary>
internal static class AlphaChannel
{
    /// <summary>Brings coverage to another size.</summary>
    /// <param name="alpha">[1,1,h,w] on [0,1]; borrowed.</param>
    /// <param name="height">Wanted height.</param>
    /// <param name="width">Wanted width.</param>
    /// <returns>[1,1,height,width] on [0,1]; the caller owns it.</returns>
    public static Tensor Resize(Tensor alpha, int height, int width)
    {
        if (alpha.shape[2] == height && alpha.shape[3] == width)
            return alpha.clone();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor resized = Imaging.Resize.ToSize(alpha, height, width);
        return resized.clamp(0, 1).MoveToOuterDisposeScope();
    }
}
