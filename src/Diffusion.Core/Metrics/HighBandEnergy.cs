using Diffusion.Imaging;

namespace Diffusion.Metrics;

/// <summary>
/// How much fine detail a picture has, compared with its reference: the ratio of their energies between 0.25 and 0.5 cycles per pixel.
/// </summary>
/// <remarks>
/// Below 1: smoothed; above 1: noisy or over-sharpened. Luma, Hann window (so that the jump between opposite edges does not count), radial
/// frequency.
/// </remarks>
public static class HighBandEnergy
{
    private const double Low = 0.25,
        High = 0.5;

    /// <summary>energy(a) / energy(reference); NaN when the reference has none.</summary>
    /// <param name="a">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="reference">The same shape.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Compare the values of 8-bit files.</param>
    public static double Ratio(Tensor a, Tensor reference, int border = 0, bool eightBit = true)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, reference, border, eightBit);
        (long height, long width) = (x.shape[1], x.shape[2]);
        Tensor window = Hann(height).reshape(-1, 1) * Hann(width);
        Tensor radius2 =
            torch.fft.fftfreq(height, dtype: ScalarType.Float64).square().reshape(-1, 1)
            + torch.fft.fftfreq(width, dtype: ScalarType.Float64).square();
        Tensor band = radius2.ge(Low * Low).logical_and(radius2.le(High * High)).to(ScalarType.Float64);
        double Energy(Tensor picture)
        {
            Tensor luma = Color.ToLuma(picture)[0];
            return (torch.fft.fft2((luma - luma.mean()) * window).abs().square() * band).sum().item<double>();
        }
        double expected = Energy(y);
        return expected > 0 ? Energy(x) / expected : double.NaN;
    }

    private static Tensor Hann(long length) => (Math.PI * (torch.arange(length, dtype: ScalarType.Float64) + 0.5) / length).sin().square();
}
