using Diffusion.Imaging;

namespace Diffusion.Tests.Parity;

/// <summary>The kernels of the published programs that no shipped operator has, float64.</summary>
internal static class PublishedKernels
{
    /// <summary>
    /// The filter of MATLAB's imresize before decimation: outer product of cubic(u / f) / f at u = -2f..2f, 4f+1 taps, not normalised.
    /// </summary>
    public static Tensor CubicFilter(int factor)
    {
        double[] taps =
        [
            .. Enumerable.Range(-2 * factor, 4 * factor + 1).Select(u => ResampleKernel.Bicubic.Weight((double)u / factor) / factor),
        ];
        using Tensor row = torch.tensor(taps, dtype: ScalarType.Float64);
        return torch.outer(row, row);
    }

    /// <summary>The 4f taps of bicubic reduction on a grid centred between pixels: cubic((i - 2f + 0.5) / f), sum 1.</summary>
    public static Tensor Bicubic1D(int factor)
    {
        double[] taps = [.. Enumerable.Range(0, 4 * factor).Select(i => ResampleKernel.Bicubic.Weight((i - 2 * factor + 0.5) / factor))];
        double sum = taps.Sum();
        return torch.tensor([.. taps.Select(t => t / sum)], dtype: ScalarType.Float64);
    }

    /// <summary>
    /// The 1-D kernels of the deblurring tasks of DDRM, DDNM, DDPG and CM4IR: <c>deblur_uni</c> (nine equal taps), <c>deblur_gauss</c>
    /// (five taps, sigma 10), <c>deblur_aniso vertical</c> and <c>horizontal</c> (nine taps, sigma 1 and 20).
    /// </summary>
    public static Tensor Task1D(string task) =>
        task switch
        {
            "deblur_uni" => torch.full([9], 1.0 / 9, dtype: ScalarType.Float64),
            "deblur_gauss" => Gaussian1D(5, 10),
            "deblur_aniso vertical" => Gaussian1D(9, 1),
            "deblur_aniso horizontal" => Gaussian1D(9, 20),
            _ => throw new ArgumentException($"There is no task kernel \"{task}\".", nameof(task)),
        };

    /// <summary>exp(-d^2 / (2 sigma^2)) about the middle tap, sum 1.</summary>
    private static Tensor Gaussian1D(int taps, double sigma)
    {
        double[] values = [.. Enumerable.Range(0, taps).Select(i => Math.Exp(-0.5 * Math.Pow((i - (taps - 1) / 2.0) / sigma, 2)))];
        double sum = values.Sum();
        return torch.tensor([.. values.Select(v => v / sum)], dtype: ScalarType.Float64);
    }
}
