namespace Diffusion.Metrics;

/// <summary>The common measures of a restored picture against its reference.</summary>
public sealed record PictureMetrics
{
    /// <summary>Peak signal-to-noise ratio over all channels, dB.</summary>
    public required double Psnr { get; init; }

    /// <summary>Structural similarity; null when the picture is smaller than its 11x11 window.</summary>
    public required double? Ssim { get; init; }

    /// <summary>Peak signal-to-noise ratio of the luma, dB.</summary>
    public required double PsnrY { get; init; }

    /// <summary>NIQE of the restored picture alone; null when it is smaller than two 96x96 blocks.</summary>
    public required double? Niqe { get; init; }

    /// <summary>Gradient magnitude similarity deviation.</summary>
    public required double Gmsd { get; init; }

    /// <summary>Computes all five.</summary>
    /// <param name="restored">[1,C,H,W] on [0,1], C = 3 or 1; borrowed.</param>
    /// <param name="reference">The same shape.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Compare the values of 8-bit files; false: unrounded.</param>
    /// <exception cref="ArgumentException">The sizes differ, or the border leaves nothing.</exception>
    public static PictureMetrics Compute(Tensor restored, Tensor reference, int border = 0, bool eightBit = true)
    {
        double psnr = Metrics.Psnr.Compute(restored, reference, border, eightBit);
        (long height, long width) = (restored.shape[^2] - 2 * border, restored.shape[^1] - 2 * border);
        return new PictureMetrics
        {
            Psnr = psnr,
            Ssim = Math.Min(height, width) >= Metrics.Ssim.Window ? Metrics.Ssim.Compute(restored, reference, border, eightBit) : null,
            PsnrY = Metrics.Psnr.ComputeLuma(restored, reference, border, eightBit),
            Niqe = Metrics.Niqe.Fits(height, width) ? Metrics.Niqe.Compute(restored, border, eightBit) : null,
            Gmsd = Metrics.Gmsd.Compute(restored, reference, border, eightBit),
        };
    }
}
