using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Diffusion.Runtime;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// Group normalisation, scale and shift, and SiLU in two passes over channels-last memory: one for the statistics, one for y = act(A x + B)
/// with A, B per picture and channel.
/// </summary>
/// <remarks>
/// Statistics are summed in float32 over short stretches and in float64 across them. The stretches depend on the shape only, so that
/// results don't depend on the number of threads.
/// </remarks>
internal static unsafe class FusedGroupNorm
{
    /// <summary>Values per stretch of work: fits the inner caches.</summary>
    private const int StretchValues = 1 << 15;

    /// <summary>Whether the kernel can work on this tensor.</summary>
    public static bool Applies(Tensor x) =>
        Vector256.IsHardwareAccelerated
        && x.device_type == DeviceType.CPU
        && x.dtype is ScalarType.Float32 or ScalarType.BFloat16
        && x.shape[1] % Lanes.Count == 0
        && ChannelsLast.Is(x);

    /// <summary>Computes the layer; see <c>GroupNorm.Forward</c>.</summary>
    /// <param name="x">[N,C,H,W] for which <see cref="Applies"/> holds.</param>
    /// <param name="groups">Number of groups.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="weight">[C] float32.</param>
    /// <param name="bias">[C] float32.</param>
    /// <param name="modulation">Scale and shift, [N or 1,C] float32 and contiguous.</param>
    /// <param name="silu">Whether SiLU follows.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    /// <param name="reuse">The result may lie where <paramref name="x"/> does, which saves the fetching of fresh memory.</param>
    public static Tensor Forward(
        Tensor x,
        long groups,
        double epsilon,
        Tensor weight,
        Tensor bias,
        (Tensor Scale, Tensor Shift)? modulation,
        bool silu,
        ScalarType dtype,
        bool reuse = false
    )
    {
        long[] shape = x.shape;
        Job job = new((int)shape[0], (int)shape[1], shape[2] * shape[3], (int)groups, epsilon, silu);
        using Tensor rows = reuse && dtype == x.dtype ? ChannelsLast.Rows(x) : torch.empty([shape[0], shape[2], shape[3], shape[1]], dtype);
        void* source = TensorData.Pointer(x),
            target = TensorData.Pointer(rows);
        float* scale = null,
            shift = null;
        long stride = 0;
        if (modulation is var (s, b))
        {
            scale = (float*)TensorData.Pointer(s);
            shift = (float*)TensorData.Pointer(b);
            stride = s.shape[0] == 1 ? 0 : s.stride(0);
        }
        float* w = (float*)TensorData.Pointer(weight),
            o = (float*)TensorData.Pointer(bias);
        switch (x.dtype, dtype)
        {
            case (ScalarType.Float32, ScalarType.Float32):
                job.Run((float*)source, (float*)target, w, o, scale, shift, stride);
                break;
            case (ScalarType.Float32, _):
                job.Run((float*)source, (ushort*)target, w, o, scale, shift, stride);
                break;
            case (_, ScalarType.Float32):
                job.Run((ushort*)source, (float*)target, w, o, scale, shift, stride);
                break;
            default:
                job.Run((ushort*)source, (ushort*)target, w, o, scale, shift, stride);
                break;
        }
        GC.KeepAlive((x, weight, bias, modulation));
        return rows.permute(0, 3, 1, 2);
    }

    private sealed class Job(int pictures, int channels, long pixels, int groups, double epsilon, bool silu)
    {
        private readonly long _stretch = Math.Max(1, StretchValues / channels);

        private int Width => channels / groups;

        public void Run<TIn, TOut>(TIn* source, TOut* target, float* weight, float* bias, float* scale, float* shift, long modulationStride)
            where TIn : unmanaged
            where TOut : unmanaged
        {
            int stretches = (int)((pixels + _stretch - 1) / _stretch),
                work = pictures * stretches;
            float[] scratch = ArrayPool<float>.Shared.Rent(checked(2 * work + 3 * pictures) * channels);
            fixed (float* first = scratch)
            {
                float* partial = first,
                    affine = partial + (long)work * 2 * channels,
                    zero = affine + pictures * 2 * channels;
                for (int i = 0; i < pictures * channels; i++)
                    zero[i] = Lanes.Single(source + i / channels * pixels * channels + i % channels / Width * Width);
                Workers.Run(work, item =>
                    Moments(source, item, stretches, zero + item / stretches * channels, partial + (long)item * 2 * channels)
                );
                for (int n = 0; n < pictures; n++)
                    Combine(
                        partial + (long)n * stretches * 2 * channels,
                        stretches,
                        zero + n * channels,
                        affine + n * 2 * channels,
                        weight,
                        bias,
                        scale + n * modulationStride,
                        shift + n * modulationStride,
                        scale is not null
                    );
                Workers.Run(work, item => Apply(source, target, item, stretches, affine + item / stretches * 2 * channels));
            }
            ArrayPool<float>.Shared.Return(scratch);
        }

        private (long First, long Count) Pixels(int item, int stretches)
        {
            long first = item % stretches * _stretch;
            return (item / stretches * pixels + first, Math.Min(_stretch, pixels - first));
        }

        /// <summary>
        /// Sums of the values and of their squares, by channel, relative to one value of the group: a mean far from zero would cancel the
        /// variance.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Moments<TIn>(TIn* source, int item, int stretches, float* origin, float* sums)
            where TIn : unmanaged
        {
            (long first, long count) = Pixels(item, stretches);
            for (int c = 0; c < channels; c += Lanes.Count)
            {
                TIn* at = source + first * channels + c;
                Vector512<float> zero = Vector512.Load(origin + c),
                    sum = default,
                    square = default,
                    sum2 = default,
                    square2 = default;
                long p = 0;
                // Two pixels at a time: an addition has to wait for the one before it.
                for (; p + 2 <= count; p += 2, at += 2 * channels)
                {
                    Vector512<float> v = Lanes.Load(at) - zero,
                        w = Lanes.Load(at + channels) - zero;
                    sum += v;
                    sum2 += w;
                    square = Vector512.FusedMultiplyAdd(v, v, square);
                    square2 = Vector512.FusedMultiplyAdd(w, w, square2);
                }
                if (p < count)
                {
                    Vector512<float> v = Lanes.Load(at) - zero;
                    sum += v;
                    square = Vector512.FusedMultiplyAdd(v, v, square);
                }
                (sum + sum2).Store(sums + c);
                (square + square2).Store(sums + channels + c);
            }
        }

        /// <summary>Statistics of the groups, and from them A and B by channel.</summary>
        private void Combine(
            float* sums,
            int stretches,
            float* origin,
            float* affine,
            float* weight,
            float* bias,
            float* scale,
            float* shift,
            bool modulated
        )
        {
            double values = (double)pixels * Width;
            for (int g = 0; g < groups; g++)
            {
                double sum = 0,
                    square = 0;
                for (int s = 0; s < stretches; s++)
                for (int c = g * Width; c < (g + 1) * Width; c++)
                {
                    sum += sums[(long)s * 2 * channels + c];
                    square += sums[(long)s * 2 * channels + channels + c];
                }
                double offset = sum / values,
                    inverse = 1 / Math.Sqrt(Math.Max(0, square / values - offset * offset) + epsilon),
                    mean = origin[g * Width] + offset;
                for (int c = g * Width; c < (g + 1) * Width; c++)
                {
                    double a = inverse * weight[c],
                        b = bias[c] - mean * a;
                    if (modulated)
                        (a, b) = (a * (1.0 + scale[c]), b * (1.0 + scale[c]) + shift[c]);
                    (affine[c], affine[channels + c]) = ((float)a, (float)b);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Apply<TIn, TOut>(TIn* source, TOut* target, int item, int stretches, float* affine)
            where TIn : unmanaged
            where TOut : unmanaged
        {
            (long first, long count) = Pixels(item, stretches);
            source += first * channels;
            target += first * channels;
            for (long p = 0; p < count; p++, source += channels, target += channels)
            {
                for (int c = 0; c < channels; c += Lanes.Count)
                {
                    Vector512<float> v = Vector512.FusedMultiplyAdd(
                        Lanes.Load(source + c),
                        Vector512.Load(affine + c),
                        Vector512.Load(affine + channels + c)
                    );
                    Lanes.Store(silu ? Lanes.Silu<TOut>(v) : v, target + c);
                }
            }
        }
    }
}
