namespace Diffusion.Metrics;

/// <summary>Peak signal-to-noise ratio in decibels: 10 log10(peak^2 / mse). Identical pictures: +infinity.</summary>
public static class Psnr
{
    /// <summary>Over all channels.</summary>
    /// <param name="a">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="b">The same shape.</param>
    /// <param name="border">Pixels cut on each side (the literature: the scale factor for super-resolution, else 0).</param>
    /// <param name="eightBit">Compare the values of 8-bit files (KAIR, RDMD, DiffPIR); false: unrounded values (DDRM, CM4IR).</param>
    /// <param name="epsilon">Added to the mean squared error on the [0,1] scale (BasicSR's tensor form: 1e-8).</param>
    public static double Compute(Tensor a, Tensor b, int border = 0, bool eightBit = true, double epsilon = 0)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, b, border, eightBit);
        return FromError(x, y, epsilon);
    }

    /// <summary>PSNR-Y: on the Y of video range (see <see cref="Imaging.Color.ToVideoLuma"/>); gray pictures on their own values.</summary>
    /// <param name="a">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="b">The same shape.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">As in <see cref="Compute"/>.</param>
    /// <param name="roundLuma">Round Y to whole numbers first (KAIR, RDMD, DiffPIR); false: BasicSR.</param>
    public static double ComputeLuma(Tensor a, Tensor b, int border = 0, bool eightBit = true, bool roundLuma = true)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, b, border, eightBit);
        return FromError(MetricInput.Luma(x, roundLuma && eightBit), MetricInput.Luma(y, roundLuma && eightBit), 0);
    }

    private static double FromError(Tensor x, Tensor y, double epsilon)
    {
        double error = (x - y).square().mean().item<double>() / (255.0 * 255.0) + epsilon;
        return -10 * Math.Log10(error);
    }
}
