using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Diffusion.Runtime;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// y = silu(x / sqrt(mean of x^2 over the channels + epsilon) a + b) in one pass over channels-last memory, and its derivative in another.
/// </summary>
/// <remarks>The differentiable form uses one thread: in training each thread has a graph of its own.</remarks>
internal static unsafe class PixelNormSilu
{
    /// <summary>Added to the mean square: what is much smaller counts as noise and is not blown up.</summary>
    internal const float Epsilon = 1e-2f;

    /// <summary>Pixels of a piece of work.</summary>
    private const int Stretch = 512;

    /// <summary>Whether the kernels can work on this tensor.</summary>
    public static bool Applies(Tensor x) => FusedGroupNorm.Applies(x);

    /// <summary>Computes it on all threads, without gradients.</summary>
    /// <param name="x">[N,C,H,W] for which <see cref="Applies"/> holds, borrowed.</param>
    /// <param name="a">[N or 1,C] float32.</param>
    /// <param name="b">[N or 1,C] float32.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    /// <param name="reuse">The result may lie where <paramref name="x"/> does.</param>
    /// <returns>Channels last.</returns>
    public static Tensor Forward(Tensor x, Tensor a, Tensor b, ScalarType dtype, bool reuse = false) =>
        (x.dtype, dtype) switch
        {
            (ScalarType.Float32, ScalarType.Float32) => Forward<float, float>(x, a, b, dtype, reuse),
            (ScalarType.Float32, _) => Forward<float, ushort>(x, a, b, dtype, reuse),
            (_, ScalarType.Float32) => Forward<ushort, float>(x, a, b, dtype, reuse),
            _ => Forward<ushort, ushort>(x, a, b, dtype, reuse),
        };

    /// <summary>Computes it differentiably in x, a and b, in the dtype of <paramref name="x"/>.</summary>
    public static Tensor Apply(Tensor x, Tensor a, Tensor b) =>
        x.dtype == ScalarType.BFloat16 ? BFloat16Function.apply(x, a, b) : Float32Function.apply(x, a, b);

    private static Tensor Forward<TIn, TOut>(Tensor x, Tensor a, Tensor b, ScalarType dtype, bool reuse)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        long[] shape = x.shape;
        int channels = (int)shape[1];
        long pixels = shape[2] * shape[3],
            pieces = (pixels + Stretch - 1) / Stretch;
        Tensor rows = reuse && dtype == x.dtype ? ChannelsLast.Rows(x) : torch.empty([shape[0], shape[2], shape[3], shape[1]], dtype);
        using Tensor wholeA = a.contiguous(),
            wholeB = b.contiguous();
        (long aStride, long bStride) = (Stride(a), Stride(b));
        TIn* source = (TIn*)TensorData.Pointer(x);
        TOut* target = (TOut*)TensorData.Pointer(rows);
        float* scale = (float*)TensorData.Pointer(wholeA),
            shift = (float*)TensorData.Pointer(wholeB);
        Workers.Run((int)(shape[0] * pieces), item =>
        {
            (long n, long piece) = Math.DivRem(item, pieces);
            long first = (n * pixels + piece * Stretch) * channels;
            Activate(
                source + first,
                target + first,
                (int)Math.Min(Stretch, pixels - piece * Stretch),
                channels,
                scale + n * aStride,
                shift + n * bStride
            );
        });
        GC.KeepAlive(x);
        using (rows)
            return rows.permute(0, 3, 1, 2);

        long Stride(Tensor t) => t.shape[0] == 1 ? 0 : channels;
    }

    /// <summary>1 / sqrt(mean square + epsilon) of one pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Inverse<T>(T* x, int channels)
        where T : unmanaged
    {
        Vector512<float> square = default;
        for (int c = 0; c < channels; c += Lanes.Count)
        {
            Vector512<float> v = Lanes.Load(x + c);
            square = Vector512.FusedMultiplyAdd(v, v, square);
        }
        return 1 / MathF.Sqrt(Vector512.Sum(square) / channels + Epsilon);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Activate<TIn, TOut>(TIn* x, TOut* y, int pixels, int channels, float* a, float* b)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        for (int i = 0; i < pixels; i++, x += channels, y += channels)
        {
            Vector512<float> inverse = Vector512.Create(Inverse(x, channels));
            for (int c = 0; c < channels; c += Lanes.Count)
                Lanes.Store(
                    Lanes.Silu<TOut>(Vector512.FusedMultiplyAdd(Lanes.Load(x + c) * inverse, Vector512.Load(a + c), Vector512.Load(b + c))),
                    y + c
                );
        }
    }

    /// <summary>dx of some pixels; adds to da and db. <paramref name="scratch"/> takes one pixel's channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate<T>(
        T* x,
        T* gradient,
        T* dx,
        int pixels,
        int channels,
        float* a,
        float* b,
        float* da,
        float* db,
        float* scratch
    )
        where T : unmanaged
    {
        for (int i = 0; i < pixels; i++, x += channels, gradient += channels, dx += channels)
        {
            Vector512<float> inverse = Vector512.Create(Inverse(x, channels)),
                product = default;
            for (int c = 0; c < channels; c += Lanes.Count)
            {
                Vector512<float> v = Lanes.Load(x + c) * inverse,
                    scale = Vector512.Load(a + c);
                Vector512<float> d =
                    Lanes.Load(gradient + c) * Lanes.SiluSlope(Vector512.FusedMultiplyAdd(v, scale, Vector512.Load(b + c)));
                (Vector512.Load(db + c) + d).Store(db + c);
                Vector512.FusedMultiplyAdd(d, v, Vector512.Load(da + c)).Store(da + c);
                d *= scale;
                d.Store(scratch + c);
                product = Vector512.FusedMultiplyAdd(d, v, product);
            }
            // dx = r (d a - xhat mean(d a xhat)), the mean over the channels.
            Vector512<float> mean = Vector512.Create(Vector512.Sum(product) / channels) * inverse;
            for (int c = 0; c < channels; c += Lanes.Count)
                Lanes.Store(inverse * Vector512.FusedMultiplyAdd(-Lanes.Load(x + c), mean, Vector512.Load(scratch + c)), dx + c);
        }
    }

    private sealed class BFloat16Function : Function<BFloat16Function, ushort>;

    private sealed class Float32Function : Function<Float32Function, float>;

    private abstract class Function<TSelf, T> : torch.autograd.SingleTensorFunction<TSelf>
        where TSelf : Function<TSelf, T>, new()
        where T : unmanaged
    {
        public override string Name => nameof(PixelNormSilu);

        public override Tensor forward(torch.autograd.AutogradContext context, params object[] arguments)
        {
            Tensor x = ChannelsLast.Of((Tensor)arguments[0]),
                a = ((Tensor)arguments[1]).contiguous(),
                b = ((Tensor)arguments[2]).contiguous(),
                y = torch.empty_like(x);
            (int channels, int pixels) = ((int)x.shape[1], checked((int)(x.shape[2] * x.shape[3])));
            for (int n = 0; n < x.shape[0]; n++)
                Activate(
                    (T*)TensorData.Pointer(x) + (long)n * pixels * channels,
                    (T*)TensorData.Pointer(y) + (long)n * pixels * channels,
                    pixels,
                    channels,
                    Row(a, n),
                    Row(b, n)
                );
            context.save_for_backward([x, a, b]);
            return y;
        }

        public override List<Tensor> backward(torch.autograd.AutogradContext context, Tensor outputGradient)
        {
            List<Tensor> saved = context.get_saved_variables();
            Tensor x = saved[0],
                a = saved[1],
                b = saved[2],
                gradient = ChannelsLast.Of(outputGradient),
                dx = torch.empty_like(x),
                da = torch.zeros_like(a),
                db = torch.zeros_like(b);
            (int channels, int pixels) = ((int)x.shape[1], checked((int)(x.shape[2] * x.shape[3])));
            int pictures = (int)x.shape[0];
            T* source = (T*)TensorData.Pointer(x),
                slope = (T*)TensorData.Pointer(gradient),
                target = (T*)TensorData.Pointer(dx);
            float[] scratch = new float[3 * channels];
            fixed (float* pixel = scratch)
            {
                float* partialA = pixel + channels,
                    partialB = partialA + channels;
                for (int n = 0; n < pictures; n++)
                {
                    float* rowA = Row(a, n),
                        rowB = Row(b, n),
                        sumA = Row(da, n),
                        sumB = Row(db, n);
                    for (int from = 0; from < pixels; from += Stretch)
                    {
                        // Short sums first: float32 would lose the small ones among the large.
                        scratch.AsSpan(channels).Clear();
                        long at = ((long)n * pixels + from) * channels;
                        Differentiate(
                            source + at,
                            slope + at,
                            target + at,
                            Math.Min(Stretch, pixels - from),
                            channels,
                            rowA,
                            rowB,
                            partialA,
                            partialB,
                            pixel
                        );
                        for (int c = 0; c < channels; c++)
                        {
                            sumA[c] += partialA[c];
                            sumB[c] += partialB[c];
                        }
                    }
                }
            }
            GC.KeepAlive(gradient);
            return [dx, da, db];
        }

        /// <summary>The numbers of picture <paramref name="n"/>, or of all.</summary>
        private static float* Row(Tensor t, int n) => (float*)TensorData.Pointer(t) + (t.shape[0] == 1 ? 0 : n * t.shape[1]);
    }
}
