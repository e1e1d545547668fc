namespace Diffusion.Imaging;

/// <summary>Gives a picture the colours of another one of its size.</summary>
/// <remarks>The colour corrections of StableSR and OSDFace. Returned tensors belong to the caller.</remarks>
public static class ColorTransfer
{
    private const double Epsilon = 1e-5;

    /// <summary>Levels of the published decomposition: blurs of 1, 2, 4, 8 and 16 pixels.</summary>
    public const int Levels = 5;

    /// <summary>
    /// Mean and deviation of each channel become those of the source (Huang and Belongie, "Arbitrary Style Transfer in Real-time with
    /// Adaptive Instance Normalization", 2017).
    /// </summary>
    /// <param name="target">[N,C,H,W] whose colours change, borrowed.</param>
    /// <param name="source">[N,C,h,w] that gives the colours, borrowed.</param>
    /// <returns>[N,C,H,W], not clipped; the caller owns it.</returns>
    public static Tensor Adain(Tensor target, Tensor source)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor mean, Tensor deviation) = Statistics(target);
        (Tensor wantedMean, Tensor wantedDeviation) = Statistics(source);
        return ((target - mean) / deviation * wantedDeviation + wantedMean).MoveToOuterDisposeScope();
    }

    /// <summary>The details of the target on the colours of the source.</summary>
    /// <param name="target">[N,C,H,W] whose details stay, borrowed.</param>
    /// <param name="source">[N,C,H,W] that gives the colours, borrowed.</param>
    /// <param name="levels">Levels of the decomposition; the coarsest blur has 2^(levels-1) pixels.</param>
    /// <returns>[N,C,H,W], not clipped; the caller owns it.</returns>
    public static Tensor Wavelet(Tensor target, Tensor source, int levels = Levels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (Split(target, levels).High + Split(source, levels).Low).MoveToOuterDisposeScope();
    }

    /// <summary>What is finer and what is coarser than the coarsest blur; their sum is the picture.</summary>
    /// <param name="picture">[N,C,H,W], borrowed.</param>
    /// <param name="levels">Levels of the decomposition.</param>
    /// <returns>[N,C,H,W] each; the caller owns them.</returns>
    public static (Tensor High, Tensor Low) Split(Tensor picture, int levels = Levels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor low = picture,
            high = torch.zeros_like(picture);
        for (int level = 0; level < levels; level++)
        {
            Tensor blurred = Blur(low, 1 << level);
            high = high + (low - blurred);
            low = blurred;
        }
        return (high.MoveToOuterDisposeScope(), low.MoveToOuterDisposeScope());
    }

    /// <summary>(1 2 1)/4 in both directions, between pixels that lie a radius apart; the edge is repeated.</summary>
    /// <param name="picture">[N,C,H,W], borrowed.</param>
    /// <param name="radius">Distance of the taps in pixels.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Blur(Tensor picture, int radius)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor taps = torch.tensor(new[] { 1f, 2f, 1f }, device: picture.device) / 4;
        long channels = picture.shape[1];
        Tensor kernel = (taps.unsqueeze(1) * taps).expand(channels, 1, 3, 3);
        Tensor padded = torch.nn.functional.pad(picture, [radius, radius, radius, radius], PaddingModes.Replicate);
        return torch.nn.functional.conv2d(padded, kernel, dilation: [radius, radius], groups: channels).MoveToOuterDisposeScope();
    }

    /// <summary>Mean and deviation (unbiased, with 1e-5 under the root) of each channel.</summary>
    /// <param name="picture">[N,C,H,W], borrowed.</param>
    /// <returns>[N,C,1,1] each; the caller owns them.</returns>
    public static (Tensor Mean, Tensor Deviation) Statistics(Tensor picture)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor flat = picture.flatten(2);
        Tensor mean = flat.mean([2L], keepdim: true).unsqueeze(-1),
            deviation = (flat.var(2, unbiased: true, keepdim: true) + Epsilon).sqrt().unsqueeze(-1);
        return (mean.MoveToOuterDisposeScope(), deviation.MoveToOuterDisposeScope());
    }
}
