using Diffusion.Imaging;

namespace Diffusion.Metrics;

/// <summary>Gradient magnitude similarity deviation (Xue, Zhang, Mou, Bovik 2014); 0 is identity, larger is worse.</summary>
/// <remarks>
/// Luma on 0..255 is averaged over 2x2 and decimated by 2; m = Prewitt gradient magnitude; GMS = (2 m_a m_b + T)/(m_a^2 + m_b^2 + T) with T
/// = 170; GMSD is the standard deviation of GMS.
/// Filters read zeros beyond the picture, as MATLAB's conv2(.., 'same') does.
/// </remarks>
public static class Gmsd
{
    private const double T = 170;

    /// <summary>Compares two pictures.</summary>
    /// <param name="a">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="b">The same shape.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Compare the values of 8-bit files.</param>
    /// <exception cref="ArgumentException">The pictures differ in size or hold a single pixel.</exception>
    public static double Compute(Tensor a, Tensor b, int border = 0, bool eightBit = true)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, b, border, eightBit);
        if (x.shape[1] < 2 && x.shape[2] < 2)
            throw new ArgumentException($"GMSD needs more than one pixel.");
        Tensor similarity = Similarity(GradientMagnitude(x), GradientMagnitude(y));
        return similarity.numel() < 2 ? 0 : similarity.std().item<double>();
    }

    private static Tensor Similarity(Tensor m1, Tensor m2) => (2 * m1 * m2 + T) / (m1.square() + m2.square() + T);

    private static Tensor GradientMagnitude(Tensor picture)
    {
        Tensor luma = Color.ToLuma(picture).unsqueeze(0);
        // conv2 'same' with a 2x2 kernel averages each pixel with the next ones; decimation keeps the even positions.
        Tensor padded = torch.nn.functional.pad(luma, [0, luma.shape[3] % 2, 0, luma.shape[2] % 2]);
        Tensor small = torch.nn.functional.avg_pool2d(padded, 2, 2);
        Tensor smooth = torch.ones([3], ScalarType.Float64) / 3,
            difference = torch.tensor(new[] { 1.0, 0, -1 });
        Tensor Filter(Tensor rows, Tensor columns) =>
            torch.nn.functional.conv2d(small, (rows.reshape(3, 1) * columns.reshape(1, 3)).reshape(1, 1, 3, 3), padding: [1, 1]);
        return (Filter(smooth, difference).square() + Filter(difference, smooth).square()).sqrt();
    }
}
