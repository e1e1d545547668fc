using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Tests.Metrics;

public sealed class MetricsTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    private static Tensor Noisy(Tensor x, double sigma, long seed) => x + sigma * Field(x.shape, seed);

    /// <summary>Reproducible uniform numbers of unit variance.</summary>
    private static Tensor Field(long[] shape, long seed)
    {
        long count = shape.Aggregate(1L, (a, b) => a * b);
        Random random = new((int)seed);
        return torch
            .tensor(Enumerable.Range(0, (int)count).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Sqrt(12))).ToArray())
            .reshape(shape);
    }

    private static Tensor Scene(int channels, int height, int width)
    {
        Tensor y = torch.arange(height).reshape(1, height, 1),
            x = torch.arange(width).reshape(1, 1, width),
            c = torch.arange(channels).reshape(channels, 1, 1);
        return (0.5 + 0.25 * (x * 0.2 + c).sin() * (y * 0.13).cos() + 0.15 * ((x + y) * 0.7).sin()).unsqueeze(0).to(ScalarType.Float32);
    }

    [Fact]
    public void Identical_pictures_are_perfect()
    {
        Tensor x = Scene(3, 100, 200);
        PictureMetrics metrics = PictureMetrics.Compute(x, x);
        Assert.Equal(double.PositiveInfinity, metrics.Psnr);
        Assert.Equal(double.PositiveInfinity, metrics.PsnrY);
        Assert.Equal(1, metrics.Ssim!.Value, 1e-12);
        Assert.Equal(0, metrics.Gmsd, 1e-12);
        Assert.NotNull(metrics.Niqe);
        Assert.Equal(1, HighBandEnergy.Ratio(x, x), 1e-12);
    }

    [Fact]
    public void Psnr_of_a_constant_error_is_known()
    {
        Tensor x = torch.full([1, 3, 8, 8], 0.5f);
        Assert.Equal(20, Psnr.Compute(x + 0.1, x, eightBit: false), 1e-4);
        Assert.Equal(
            10 * Math.Log10(255 * 255 / 16.0),
            Psnr.Compute(torch.full([1, 3, 8, 8], 104f / 255), torch.full([1, 3, 8, 8], 100f / 255)),
            1e-9
        );
    }

    [Fact]
    public void More_noise_is_worse_in_every_measure()
    {
        Tensor x = Scene(3, 100, 200);
        PictureMetrics little = PictureMetrics.Compute(Noisy(x, 0.02, 1), x),
            much = PictureMetrics.Compute(Noisy(x, 0.1, 1), x);
        Assert.True(little.Psnr > much.Psnr && little.PsnrY > much.PsnrY && little.Ssim > much.Ssim && little.Gmsd < much.Gmsd);
        Assert.True(HighBandEnergy.Ratio(Noisy(x, 0.1, 1), x) > HighBandEnergy.Ratio(Noisy(x, 0.02, 1), x));
    }

    [Fact]
    public void High_band_energy_sees_blur_and_nothing_else()
    {
        Tensor x = Noisy(Scene(1, 64, 64), 0.1, 2),
            blurred = torch.nn.functional.avg_pool2d(x, 3, 1, 1);
        Assert.True(HighBandEnergy.Ratio(blurred, x) < 0.2);
        Assert.Equal(4, HighBandEnergy.Ratio(x * 2, x, eightBit: false), 1e-4);
        Assert.True(double.IsNaN(HighBandEnergy.Ratio(x, torch.zeros_like(x))));
    }

    [Fact]
    public void Gmsd_matches_a_direct_computation()
    {
        Tensor a = Scene(1, 13, 17),
            b = Noisy(a, 0.1, 3);
        Assert.Equal(DirectGmsd(a, b), Gmsd.Compute(a, b), 1e-9);
    }

    /// <summary>Loops over pixels as MATLAB's conv2(.., 'same') does.</summary>
    private static double DirectGmsd(Tensor a, Tensor b)
    {
        static double[,] Gradient(Tensor x)
        {
            Tensor values = (x.clamp(0, 1) * 255).round();
            (int h, int w) = ((int)x.shape[2], (int)x.shape[3]);
            double At(int i, int j) => i < h && j < w ? values[0, 0, i, j].item<float>() : 0;
            (int rows, int columns) = ((h + 1) / 2, (w + 1) / 2);
            double[,] small = new double[rows, columns],
                gradient = new double[rows, columns];
            for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                small[i, j] = (At(2 * i, 2 * j) + At(2 * i + 1, 2 * j) + At(2 * i, 2 * j + 1) + At(2 * i + 1, 2 * j + 1)) / 4;
            double S(int i, int j) => i >= 0 && j >= 0 && i < rows && j < columns ? small[i, j] : 0;
            for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
            {
                double gx = 0,
                    gy = 0;
                for (int d = -1; d <= 1; d++)
                {
                    gx += (S(i + d, j + 1) - S(i + d, j - 1)) / 3;
                    gy += (S(i + 1, j + d) - S(i - 1, j + d)) / 3;
                }
                gradient[i, j] = Math.Sqrt(gx * gx + gy * gy);
            }
            return gradient;
        }
        double[,] m1 = Gradient(a),
            m2 = Gradient(b);
        double[] map = [.. m1.Cast<double>().Zip(m2.Cast<double>(), (p, q) => (2 * p * q + 170) / (p * p + q * q + 170))];
        double mean = map.Average();
        return Math.Sqrt(map.Sum(v => (v - mean) * (v - mean)) / (map.Length - 1));
    }

    [Fact]
    public void Gray_pictures_are_compared_on_their_own_values()
    {
        Tensor x = Scene(1, 40, 40),
            y = Noisy(x, 0.05, 4);
        PictureMetrics metrics = PictureMetrics.Compute(y, x);
        Assert.Equal(metrics.Psnr, metrics.PsnrY, 1e-12);
        Assert.Equal(metrics.Psnr, Psnr.Compute(y.expand(1, 3, 40, 40), x.expand(1, 3, 40, 40)), 1e-12);
    }

    [Fact]
    public void Measures_that_a_tiny_picture_does_not_allow_are_left_out()
    {
        Tensor x = Scene(3, 8, 9);
        PictureMetrics metrics = PictureMetrics.Compute(Noisy(x, 0.1, 5), x);
        Assert.Null(metrics.Ssim);
        Assert.Null(metrics.Niqe);
        Assert.True(double.IsFinite(metrics.Psnr) && double.IsFinite(metrics.Gmsd));
    }

    [Fact]
    public void The_border_is_cut_before_anything_is_compared()
    {
        Tensor x = Scene(3, 30, 30),
            y = Noisy(x, 0.05, 6),
            frame = y.clone();
        frame.narrow(2, 0, 3).fill_(0);
        frame.narrow(3, 27, 3).fill_(1);
        Assert.Equal(Psnr.Compute(y, x, 3), Psnr.Compute(frame, x, 3));
        Assert.Equal(Ssim.Compute(y, x, 3), Ssim.Compute(frame, x, 3));
    }

    [Fact]
    public void Niqe_prefers_a_photograph_to_its_noisy_and_blurred_copies_and_survives_flat_blocks()
    {
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        double natural = Niqe.Compute(photo.Pixels);
        Assert.InRange(natural, 2, 6);
        Assert.True(natural < Niqe.Compute(Noisy(photo.Pixels, 0.1, 8)));
        Assert.True(natural < Niqe.Compute(torch.nn.functional.avg_pool2d(photo.Pixels, 5, 1, 2)));
        Tensor flat = photo.Pixels.clone();
        flat.narrow(2, 0, 96).narrow(3, 0, 96).fill_(0.5);
        Assert.True(double.IsFinite(Niqe.Compute(flat)));
    }

    [Fact]
    public void Strips_of_large_pictures_do_not_show_in_the_result()
    {
        // Wide enough for several strips of rows.
        Tensor x = Scene(1, 40, 10_000),
            y = Noisy(x[0], 0.05, 10).unsqueeze(0);
        double[] parts = [.. Enumerable.Range(0, 30).Select(row => Ssim.Compute(y.narrow(2, row, 11), x.narrow(2, row, 11)))];
        Assert.Equal(parts.Average(), Ssim.Compute(y, x), 1e-12);
    }

    [Fact]
    public void Wrong_arguments_name_what_was_received()
    {
        Tensor x = torch.rand(1, 3, 20, 20);
        Assert.Contains(
            "[1,3,20,20] and [1,3,20,21]",
            Assert.Throws<ArgumentException>(() => Psnr.Compute(x, torch.rand(1, 3, 20, 21))).Message
        );
        Assert.Contains("border of 10", Assert.Throws<ArgumentException>(() => Psnr.Compute(x, x, 10)).Message);
        Assert.Contains("11x11", Assert.Throws<ArgumentException>(() => Ssim.Compute(x, x, 5)).Message);
        Assert.Contains(
            "[2,3,20,20]",
            Assert.Throws<ArgumentException>(() => Psnr.Compute(torch.rand(2, 3, 20, 20), torch.rand(2, 3, 20, 20))).Message
        );
        Assert.Contains("two whole blocks", Assert.Throws<ArgumentException>(() => Niqe.Compute(x)).Message);
    }

    [Fact]
    public void Nothing_leaks()
    {
        Tensor x = Scene(3, 100, 200),
            y = Noisy(x, 0.1, 9);
        PictureMetrics.Compute(y, x);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 3; i++)
            PictureMetrics.Compute(y, x);
        HighBandEnergy.Ratio(y, x);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    public void Dispose() => _scope.Dispose();
}
