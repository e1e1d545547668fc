namespace Diffusion.Imaging;

/// <summary>Pillow's 8-bit resampling, integer for integer, and the crop of the ADM data pipeline.</summary>
/// <remarks>
/// Weights have 22 fractional bits; the horizontal pass is rounded to 8 bits before the vertical one; taps beyond the picture are left out.
/// </remarks>
public static class PillowResize
{
    private const int FractionBits = 22;

    /// <summary>Pillow's <c>Image.resize</c>.</summary>
    /// <param name="x">[..,H,W] uint8; borrowed.</param>
    /// <param name="height">Output height.</param>
    /// <param name="width">Output width.</param>
    /// <param name="kernel">
    /// <see cref="ResampleKernel.Box"/>, <see cref="ResampleKernel.Bilinear"/>, <see cref="ResampleKernel.Bicubic"/> or <see
    /// cref="ResampleKernel.Lanczos"/>.
    /// </param>
    /// <returns>[..,height,width] uint8; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No uint8 pictures, a size below 1, or a kernel that Pillow does not have.</exception>
    public static Tensor Resize(Tensor x, int height, int width, ResampleKernel kernel)
    {
        if (x.dtype != ScalarType.Byte || x.dim() < 2 || x.numel() == 0)
            throw new ArgumentException($"Pillow resizing needs a uint8 tensor [..,H,W], not {Shapes.Describe(x)}.", nameof(x));
        if (height < 1 || width < 1)
            throw new ArgumentException($"A picture cannot be resized to {width}x{height}.");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor result = Pass(Pass(x, (int)x.dim() - 1, width, kernel), (int)x.dim() - 2, height, kernel);
        return (ReferenceEquals(result, x) ? x.clone() : result).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// guided-diffusion's <c>center_crop_arr</c>: halved by boxes while twice too large, bicubic to the size, centre square.
    /// </summary>
    /// <param name="x">[..,H,W] uint8; borrowed.</param>
    /// <param name="size">The side of the square.</param>
    /// <returns>[..,size,size] uint8; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The side is below 1.</exception>
    public static Tensor CenterCrop(Tensor x, int size)
    {
        if (size < 1)
            throw new ArgumentException($"The side of a crop must be positive, not {size}.", nameof(size));
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor picture = x;
        (int height, int width) = ((int)x.shape[^2], (int)x.shape[^1]);
        while (Math.Min(height, width) >= 2L * size)
        {
            (height, width) = (height / 2, width / 2);
            picture = Resize(picture, height, width, ResampleKernel.Box);
        }
        double scale = size / (double)Math.Min(height, width);
        (height, width) = ((int)Math.Round(height * scale), (int)Math.Round(width * scale));
        picture = Resize(picture, height, width, ResampleKernel.Bicubic);
        return picture.narrow(-2, (height - size) / 2, size).narrow(-1, (width - size) / 2, size).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Pass(Tensor x, int dim, int outputs, ResampleKernel kernel)
    {
        int inputs = checked((int)x.shape[dim]);
        if (inputs == outputs)
            return x;
        (int[][] indices, int[][] weights) = Columns(inputs, outputs, kernel);
        long[] broadcast = [outputs, .. Enumerable.Repeat(1L, (int)x.dim() - 1 - dim)];
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor wide = x.to(ScalarType.Int32);
        Tensor sum = torch.full([.. x.shape[..dim], outputs, .. x.shape[(dim + 1)..]], 1 << (FractionBits - 1), ScalarType.Int32, x.device);
        for (int t = 0; t < indices.Length; t++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            sum.add_(
                wide.index_select(dim, torch.tensor(indices[t], device: x.device))
                    .mul_(torch.tensor(weights[t], device: x.device).reshape(broadcast))
            );
        }
        return sum.bitwise_right_shift(torch.tensor(FractionBits, device: x.device))
            .clamp(0, 255)
            .to(ScalarType.Byte)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Indices and integer weights, tap by tap.</summary>
    private static (int[][] Indices, int[][] Weights) Columns(int inputs, int outputs, ResampleKernel kernel)
    {
        double scale = (double)inputs / outputs,
            stretch = Math.Max(scale, 1),
            support = kernel.Support * stretch;
        int perOutput = (int)Math.Ceiling(support) * 2 + 1;
        int[][] indices = Table(perOutput, outputs),
            weights = Table(perOutput, outputs);
        double[] row = new double[perOutput];
        for (int o = 0; o < outputs; o++)
        {
            double center = (o + 0.5) * scale,
                sum = 0;
            int first = Math.Max((int)(center - support + 0.5), 0),
                count = Math.Min((int)(center + support + 0.5), inputs) - first;
            for (int t = 0; t < count; t++)
                sum += row[t] = Weight(kernel, (first + t - center + 0.5) / stretch);
            for (int t = 0; t < count; t++)
            {
                double weight = sum == 0 ? row[t] : row[t] / sum;
                indices[t][o] = first + t;
                weights[t][o] = (int)Math.Round(weight * (1 << FractionBits), MidpointRounding.AwayFromZero);
            }
        }
        return (indices, weights);
    }

    /// <summary>Pillow's box is open on the left instead of on the right.</summary>
    private static double Weight(ResampleKernel kernel, double x) => kernel == ResampleKernel.Box ? kernel.Weight(-x) : kernel.Weight(x);

    private static int[][] Table(int rows, int columns) => [.. Enumerable.Range(0, rows).Select(_ => new int[columns])];
}
