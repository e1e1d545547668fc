namespace Diffusion.Metrics;

/// <summary>
/// Structural similarity (Wang et al. 2004) as the restoration literature computes it: Gaussian window, valid positions only, C1 = (0.01 *
/// 255)^2, C2 = (0.03 * 255)^2.
/// </summary>
/// <remarks>
/// The mean over the map of each channel, then over the channels. 1 is identity. A picture must be at least as large as the window.
/// </remarks>
public static class Ssim
{
    private const double C1 = 0.01 * 255 * (0.01 * 255),
        C2 = 0.03 * 255 * (0.03 * 255);

    private const long StripPixels = 1 << 18;

    /// <summary>Side of the published window.</summary>
    public const int Window = 11;

    /// <summary>Over all channels.</summary>
    /// <param name="a">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="b">The same shape.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Compare the values of 8-bit files.</param>
    /// <param name="window">Side of the Gaussian window.</param>
    /// <param name="sigma">Its standard deviation in pixels.</param>
    public static double Compute(Tensor a, Tensor b, int border = 0, bool eightBit = true, int window = Window, double sigma = 1.5)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, b, border, eightBit);
        return Mean(x, y, window, sigma);
    }

    /// <summary>
    /// SSIM-Y: on the Y of video range; gray pictures on their own values. Pictures are [1,C,H,W] or [C,H,W] on [0,1] and
    /// borrowed; parameters as in <see cref="Psnr.ComputeLuma"/>.
    /// </summary>
    public static double ComputeLuma(
        Tensor a,
        Tensor b,
        int border = 0,
        bool eightBit = true,
        bool roundLuma = true,
        int window = Window,
        double sigma = 1.5
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor x, Tensor y) = MetricInput.Pair(a, b, border, eightBit);
        return Mean(MetricInput.Luma(x, roundLuma && eightBit), MetricInput.Luma(y, roundLuma && eightBit), window, sigma);
    }

    private static double Mean(Tensor x, Tensor y, int window, double sigma)
    {
        if (window < 1 || !(sigma > 0))
            throw new ArgumentException($"The window of SSIM needs a positive size and sigma, not {window} and {sigma}.");
        if (Math.Min(x.shape[1], x.shape[2]) < window)
            throw new ArgumentException($"SSIM needs at least {window}x{window} pixels after the border, not {x.shape[2]}x{x.shape[1]}.");
        Tensor offsets = torch.arange(window, dtype: ScalarType.Float64) - (window - 1) / 2.0;
        Tensor gaussian = (-offsets.square() / (2 * sigma * sigma)).exp();
        gaussian /= gaussian.sum();
        // Strips of rows of one channel keep the memory of large photographs bounded; every channel has the same weight.
        (long channels, long rows, long columns) = (x.shape[0], x.shape[1] - window + 1, x.shape[2] - window + 1);
        long strip = Math.Max(1, StripPixels / x.shape[2]);
        double sum = 0;
        for (long c = 0; c < channels; c++)
        for (long row = 0; row < rows; row += strip)
        {
            long height = Math.Min(strip, rows - row) + window - 1;
            sum += MapSum(x.narrow(0, c, 1).narrow(1, row, height), y.narrow(0, c, 1).narrow(1, row, height), gaussian);
        }
        return sum / (channels * rows * columns);
    }

    private static double MapSum(Tensor x, Tensor y, Tensor gaussian)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor Blur(Tensor image) =>
            torch.nn.functional.conv2d(
                torch.nn.functional.conv2d(image.unsqueeze(1), gaussian.reshape(1, 1, -1, 1)),
                gaussian.reshape(1, 1, 1, -1)
            );

        Tensor muX = Blur(x),
            muY = Blur(y),
            muXX = muX * muX,
            muYY = muY * muY,
            muXY = muX * muY;
        Tensor varianceX = Blur(x * x) - muXX,
            varianceY = Blur(y * y) - muYY,
            covariance = Blur(x * y) - muXY;
        Tensor map = (2 * muXY + C1) * (2 * covariance + C2) / ((muXX + muYY + C1) * (varianceX + varianceY + C2));
        return map.sum().item<double>();
    }
}
