using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Diffusion.Runtime;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// A 3x3 convolution of many channels to the few of a picture, float32, with zeros around: the libraries' kernels work on 16 outputs at a
/// time, of which 3 would count.
/// </summary>
internal static unsafe class ThinConvolution
{
    private const int Outputs = 3;

    /// <summary>Whether the kernel can compute this.</summary>
    /// <param name="x">[N,C,H,W].</param>
    /// <param name="weight">[3,C,3,3].</param>
    public static bool Applies(Tensor x, Tensor weight) =>
        weight.shape is [Outputs, _, 3, 3]
        && x.dtype == ScalarType.Float32
        && weight.dtype == ScalarType.Float32
        && FusedGroupNorm.Applies(x);

    /// <summary>Computes it.</summary>
    /// <param name="x">[N,C,H,W] for which <see cref="Applies"/> holds, borrowed.</param>
    /// <param name="weight">[3,C,3,3] float32, borrowed.</param>
    /// <param name="bias">[3] float32, borrowed, or null.</param>
    /// <returns>[N,3,H,W], channels last; the caller owns it.</returns>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias)
    {
        (long n, int channels, int height, int width) = (x.shape[0], (int)x.shape[1], (int)x.shape[2], (int)x.shape[3]);
        // By row of the kernel and output: the three pixels that a row of the kernel sees lie side by side.
        using Tensor kernels = weight.permute(2, 0, 3, 1).contiguous(),
            rows = torch.empty([n, height, width, Outputs], ScalarType.Float32);
        float* source = (float*)TensorData.Pointer(x),
            target = (float*)TensorData.Pointer(rows),
            kernel = (float*)TensorData.Pointer(kernels),
            offset = bias is null ? null : (float*)TensorData.Pointer(bias);
        Workers.Run((int)(n * height), item =>
        {
            int row = item % height,
                first = Math.Max(0, row - 1),
                last = Math.Min(height - 1, row + 1);
            float* picture = source + item / height * height * (long)width * channels,
                y = target + (long)item * width * Outputs;
            Row(
                picture + (long)first * width * channels,
                last - first + 1,
                y,
                width,
                channels,
                kernel + (first - row + 1) * Outputs * 3 * channels,
                offset
            );
        });
        GC.KeepAlive((x, bias));
        return rows.permute(0, 3, 1, 2);
    }

    /// <summary>One row of the result from the two or three rows of the picture that it sees.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* x, int rows, float* y, int width, int channels, float* kernel, float* bias)
    {
        float b0 = bias is null ? 0 : bias[0],
            b1 = bias is null ? 0 : bias[1],
            b2 = bias is null ? 0 : bias[2];
        int column = 0,
            seen = 3 * channels;
        for (; column < Math.Min(1, width); column++)
            Pixel(x, rows, y, column, width, channels, kernel, b0, b1, b2);
        // Two pixels at a time: an addition has to wait for the one before it.
        for (; column + 2 < width; column += 2)
        {
            Vector512<float> a = default,
                b = default,
                c = default,
                d = default,
                e = default,
                f = default;
            float* first = x + (long)(column - 1) * channels,
                k = kernel;
            for (int row = 0; row < rows; row++, first += (long)width * channels, k += Outputs * seen)
            for (int i = 0; i < seen; i += Lanes.Count)
            {
                Vector512<float> v = Vector512.Load(first + i),
                    w = Vector512.Load(first + channels + i),
                    k0 = Vector512.Load(k + i),
                    k1 = Vector512.Load(k + seen + i),
                    k2 = Vector512.Load(k + 2 * seen + i);
                a = Vector512.FusedMultiplyAdd(v, k0, a);
                b = Vector512.FusedMultiplyAdd(v, k1, b);
                c = Vector512.FusedMultiplyAdd(v, k2, c);
                d = Vector512.FusedMultiplyAdd(w, k0, d);
                e = Vector512.FusedMultiplyAdd(w, k1, e);
                f = Vector512.FusedMultiplyAdd(w, k2, f);
            }
            float* sums = y + column * Outputs;
            sums[0] = Vector512.Sum(a) + b0;
            sums[1] = Vector512.Sum(b) + b1;
            sums[2] = Vector512.Sum(c) + b2;
            sums[3] = Vector512.Sum(d) + b0;
            sums[4] = Vector512.Sum(e) + b1;
            sums[5] = Vector512.Sum(f) + b2;
        }
        for (; column < width; column++)
            Pixel(x, rows, y, column, width, channels, kernel, b0, b1, b2);
    }

    /// <summary>One pixel, which may lie at the border.</summary>
    private static void Pixel(
        float* x,
        int rows,
        float* y,
        int column,
        int width,
        int channels,
        float* kernel,
        float b0,
        float b1,
        float b2
    )
    {
        int from = column == 0 ? channels : 0,
            to = column == width - 1 ? 2 * channels : 3 * channels,
            seen = 3 * channels;
        Vector512<float> a = default,
            b = default,
            c = default;
        for (int row = 0; row < rows; row++)
        {
            float* first = x + ((long)row * width + column - 1) * channels,
                k = kernel + row * Outputs * seen;
            for (int i = from; i < to; i += Lanes.Count)
            {
                Vector512<float> v = Vector512.Load(first + i);
                a = Vector512.FusedMultiplyAdd(v, Vector512.Load(k + i), a);
                b = Vector512.FusedMultiplyAdd(v, Vector512.Load(k + seen + i), b);
                c = Vector512.FusedMultiplyAdd(v, Vector512.Load(k + 2 * seen + i), c);
            }
        }
        y += column * Outputs;
        (y[0], y[1], y[2]) = (Vector512.Sum(a) + b0, Vector512.Sum(b) + b1, Vector512.Sum(c) + b2);
    }
}
