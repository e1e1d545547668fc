using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Diffusion.Runtime;

namespace Diffusion.Numerics;

/// <summary>
/// What <see cref="Dct"/> does before and after the FFT, in one pass each, for float32 on the CPU: three times as fast as the same steps by
/// operators.
/// </summary>
internal static unsafe class DctKernel
{
    private static readonly ConcurrentDictionary<int, Axis> Axes = [];

    /// <summary>Whether the kernel takes a tensor.</summary>
    public static bool Applies(Tensor x) =>
        x.dtype == ScalarType.Float32
        && x.device_type == DeviceType.CPU
        && !x.requires_grad
        && x.shape[^1] < int.MaxValue
        && x.shape[^2] < int.MaxValue;

    /// <summary>As <see cref="Dct.Forward"/>.</summary>
    public static Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor source = x.contiguous(),
            sorted = torch.empty_like(source),
            result = torch.empty_like(source);
        Sizes sizes = new(x);
        Sort((float*)TensorData.Pointer(source), (float*)TensorData.Pointer(sorted), sizes, back: false);
        Tensor f = torch.fft.rfft2(sorted).contiguous();
        FromFourier((float*)TensorData.Pointer(f), (float*)TensorData.Pointer(result), sizes);
        GC.KeepAlive(f);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Dct.Inverse"/>.</summary>
    public static Tensor Inverse(Tensor coefficients)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Sizes sizes = new(coefficients);
        Tensor c = coefficients.contiguous(),
            result = torch.empty_like(c),
            f = torch.empty([.. c.shape[..^1], sizes.Half, 2], ScalarType.Float32);
        ToFourier((float*)TensorData.Pointer(c), (float*)TensorData.Pointer(f), sizes);
        Tensor sorted = torch.fft.irfft2(f.view_as_complex(), [sizes.Height, sizes.Width]).contiguous();
        Sort((float*)TensorData.Pointer(sorted), (float*)TensorData.Pointer(result), sizes, back: true);
        GC.KeepAlive((c, sorted));
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Even samples forwards, then odd ones backwards, in both directions; or back again.</summary>
    private static void Sort(float* source, float* target, Sizes sizes, bool back)
    {
        (int height, int width) = (sizes.Height, sizes.Width);
        int even = (width + 1) / 2;
        sizes.ForRows(
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            (plane, row) =>
            {
                int sorted = row % 2 == 0 ? row / 2 : height - 1 - row / 2;
                long natural = (plane * height + row) * width,
                    other = (plane * height + sorted) * width;
                if (back)
                {
                    float* from = source + other,
                        to = target + natural;
                    for (int i = 0; i < even; i++)
                        to[2 * i] = from[i];
                    for (int i = 0; i < width - even; i++)
                        to[2 * i + 1] = from[width - 1 - i];
                }
                else
                {
                    float* from = source + natural,
                        to = target + other;
                    for (int i = 0; i < even; i++)
                        to[i] = from[2 * i];
                    for (int i = 0; i < width - even; i++)
                        to[width - 1 - i] = from[2 * i + 1];
                }
            }
        );
    }

    private static void FromFourier(float* f, float* result, Sizes sizes)
    {
        (int height, int width, int half) = (sizes.Height, sizes.Width, sizes.Half);
        (Axis rows, Axis columns) = (AxisOf(height), AxisOf(width));
        sizes.ForRows(
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            (plane, k) =>
            {
                float* v = f + (plane * height + k) * half * 2,
                    w = f + (plane * height + (height - k) % height) * half * 2,
                    to = result + (plane * height + k) * width;
                float cos = rows.Cos[k],
                    sin = rows.Sin[k],
                    scale = 0.5f * rows.Scale[k];
                for (int l = 0; l < half; l++)
                {
                    float c = columns.Cos[l],
                        s = columns.Sin[l];
                    float re = c * v[2 * l] + s * v[2 * l + 1],
                        im = c * v[2 * l + 1] - s * v[2 * l];
                    float mirroredRe = c * w[2 * l] + s * w[2 * l + 1],
                        mirroredIm = c * w[2 * l + 1] - s * w[2 * l];
                    to[l] = (cos * (re + mirroredRe) + sin * (im - mirroredIm)) * scale * columns.Scale[l];
                    if (l > 0 && width - l >= half)
                        to[width - l] = (sin * (re - mirroredRe) - cos * (im + mirroredIm)) * scale * columns.Scale[width - l];
                }
            }
        );
    }

    private static void ToFourier(float* c, float* f, Sizes sizes)
    {
        (int height, int width, int half) = (sizes.Height, sizes.Width, sizes.Half);
        (Axis rows, Axis columns) = (AxisOf(height), AxisOf(width));
        sizes.ForRows(
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            (plane, k) =>
            {
                float* here = c + (plane * height + k) * width,
                    there = c + (plane * height + height - k) * width,
                    v = f + (plane * height + k) * half * 2;
                float hereScale = 1 / rows.Scale[k],
                    thereScale = k == 0 ? 0 : 1 / rows.Scale[height - k];
                for (int l = 0; l < half; l++)
                {
                    float scale = 1 / columns.Scale[l],
                        opposite = l == 0 ? 0 : 1 / columns.Scale[width - l];
                    float d1 = here[l] * hereScale * scale,
                        d2 = l == 0 ? 0 : here[width - l] * hereScale * opposite;
                    float e1 = k == 0 ? 0 : there[l] * thereScale * scale,
                        e2 = k == 0 || l == 0 ? 0 : there[width - l] * thereScale * opposite;
                    float re = d1 - e2,
                        im = -(d2 + e1);
                    float cos = rows.Cos[k] * columns.Cos[l] - rows.Sin[k] * columns.Sin[l],
                        sin = rows.Sin[k] * columns.Cos[l] + rows.Cos[k] * columns.Sin[l];
                    v[2 * l] = cos * re - sin * im;
                    v[2 * l + 1] = cos * im + sin * re;
                }
            }
        );
    }

    private static Axis AxisOf(int n) => Axes.GetOrAdd(n, static n =>
        {
            Axis axis = new(new float[n], new float[n], new float[n]);
            for (int k = 0; k < n; k++)
            {
                double angle = Math.PI * k / (2.0 * n);
                (axis.Cos[k], axis.Sin[k], axis.Scale[k]) = (
                    (float)Math.Cos(angle),
                    (float)Math.Sin(angle),
                    (float)Math.Sqrt((k == 0 ? 1.0 : 2.0) / n)
                );
            }
            return axis;
        });

    /// <summary>cos and sin of pi k / 2n, and the scale that makes the transform orthonormal.</summary>
    private sealed record Axis(float[] Cos, float[] Sin, float[] Scale);

    private readonly struct Sizes(Tensor x)
    {
        private const int RowsAtATime = 32;

        public int Height { get; } = (int)x.shape[^2];
        public int Width { get; } = (int)x.shape[^1];
        public int Planes { get; } = (int)(x.numel() / Math.Max(1, x.shape[^2] * x.shape[^1]));
        public int Half => Width / 2 + 1;

        /// <summary>Calls <paramref name="body"/> for every row of every plane, several rows to a thread at a time.</summary>
        public void ForRows(Action<long, int> body)
        {
            int height = Height,
                pieces = (height + RowsAtATime - 1) / RowsAtATime;
            Workers.Run(Planes * pieces, piece =>
            {
                int first = piece % pieces * RowsAtATime;
                for (int row = first; row < Math.Min(height, first + RowsAtATime); row++)
                    body(piece / pieces, row);
            });
        }
    }
}
