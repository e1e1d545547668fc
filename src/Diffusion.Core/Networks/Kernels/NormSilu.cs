using Diffusion.Runtime;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// y = silu(xhat a + b), xhat the group-normalised x, in two passes over memory forward and two backward, where library operators take a
/// dozen.
/// Differentiable in x, a and b; meant for training, where each thread has a graph of its own: the computation itself uses one thread.
/// </summary>
internal static class NormSilu
{
    /// <summary>Whether the kernels can work on this tensor.</summary>
    public static bool Applies(Tensor x) => FusedGroupNorm.Applies(x);

    /// <summary>Computes it.</summary>
    /// <param name="x">[N,C,H,W] for which <see cref="Applies"/> holds, borrowed.</param>
    /// <param name="a">[N,C] float32.</param>
    /// <param name="b">[N,C] float32.</param>
    /// <param name="groups">Groups of channels with statistics of their own.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>In the shape and dtype of <paramref name="x"/>, channels last.</returns>
    public static Tensor Apply(Tensor x, Tensor a, Tensor b, long groups, double epsilon) =>
        x.dtype == ScalarType.BFloat16 ? BFloat16Function.apply(x, a, b, groups, epsilon) : Float32Function.apply(x, a, b, groups, epsilon);

    private sealed class BFloat16Function : Function<BFloat16Function, ushort>;

    private sealed class Float32Function : Function<Float32Function, float>;

    private abstract unsafe class Function<TSelf, T> : torch.autograd.SingleTensorFunction<TSelf>
        where TSelf : Function<TSelf, T>, new()
        where T : unmanaged
    {
        public override string Name => nameof(NormSilu);

        public override Tensor forward(torch.autograd.AutogradContext context, params object[] arguments)
        {
            Tensor x = ChannelsLast.Of((Tensor)arguments[0]),
                a = ((Tensor)arguments[1]).contiguous(),
                b = ((Tensor)arguments[2]).contiguous();
            (int groups, double epsilon) = ((int)(long)arguments[3], (double)arguments[4]);
            Shape shape = new(x, groups);
            Tensor y = torch.empty_like(x),
                statistics = torch.empty([shape.Pictures, 2, groups], dtype: ScalarType.Float32);
            float* stored = (float*)TensorData.Pointer(statistics);
            Span<double> sums = new double[shape.Channels],
                squares = new double[shape.Channels];
            float[] scale = new float[shape.Channels],
                shift = new float[shape.Channels];
            for (int n = 0; n < shape.Pictures; n++, stored += 2 * groups)
            {
                T* picture = (T*)TensorData.Pointer(x) + n * shape.Stride;
                NormSiluKernel<T>.Moments(picture, shape.Pixels, shape.Channels, sums, squares);
                for (int g = 0; g < groups; g++)
                {
                    // Mean and mean square of each channel, brought from its own origin to zero, then averaged over the group.
                    double mean = 0,
                        variance = 0;
                    for (int c = shape.First(g); c < shape.First(g + 1); c++)
                        mean += (Lanes.Single(picture + c) + sums[c] / shape.Pixels) / shape.PerGroup;
                    for (int c = shape.First(g); c < shape.First(g + 1); c++)
                    {
                        double offset = sums[c] / shape.Pixels,
                            apart = Lanes.Single(picture + c) + offset - mean;
                        variance += (squares[c] / shape.Pixels - offset * offset + apart * apart) / shape.PerGroup;
                    }
                    (stored[g], stored[groups + g]) = ((float)mean, (float)(1 / Math.Sqrt(Math.Max(0, variance) + epsilon)));
                }
                Affine(shape, n, stored, a, b, scale, shift);
                fixed (
                    float* s = scale,
                        t = shift
                )
                    NormSiluKernel<T>.Activate(picture, (T*)TensorData.Pointer(y) + n * shape.Stride, shape.Pixels, shape.Channels, s, t);
            }
            context.save_for_backward([x, a, b, statistics]);
            return y;
        }

        public override List<Tensor> backward(torch.autograd.AutogradContext context, Tensor outputGradient)
        {
            List<Tensor> saved = context.get_saved_variables();
            Tensor x = saved[0],
                a = saved[1],
                b = saved[2],
                statistics = saved[3],
                gradient = ChannelsLast.Of(outputGradient);
            int groups = (int)statistics.shape[2];
            Shape shape = new(x, groups);
            Tensor dx = torch.empty_like(x),
                da = torch.empty_like(a),
                db = torch.empty_like(b);
            float* stored = (float*)TensorData.Pointer(statistics),
                weight = (float*)TensorData.Pointer(a),
                dWeight = (float*)TensorData.Pointer(da),
                dBias = (float*)TensorData.Pointer(db);
            Span<double> sums = new double[shape.Channels],
                products = new double[shape.Channels];
            float[] scale = new float[shape.Channels],
                shift = new float[shape.Channels],
                slope = new float[shape.Channels],
                constant = new float[shape.Channels];
            for (
                int n = 0;
                n < shape.Pictures;
                n++, stored += 2 * groups, weight += shape.Channels, dWeight += shape.Channels, dBias += shape.Channels
            )
            {
                T* picture = (T*)TensorData.Pointer(x) + n * shape.Stride,
                    d = (T*)TensorData.Pointer(dx) + n * shape.Stride;
                Affine(shape, n, stored, a, b, scale, shift);
                fixed (
                    float* s = scale,
                        t = shift
                )
                    NormSiluKernel<T>.Differentiate(
                        picture,
                        (T*)TensorData.Pointer(gradient) + n * shape.Stride,
                        d,
                        shape.Pixels,
                        shape.Channels,
                        s,
                        t,
                        sums,
                        products
                    );
                for (int g = 0; g < groups; g++)
                {
                    // dx = rstd (a d - mean(a d) - xhat mean(a d xhat)), the means over the group.
                    double mean = stored[g],
                        rstd = stored[groups + g],
                        count = (double)shape.Pixels * shape.PerGroup,
                        m1 = 0,
                        m2 = 0;
                    for (int c = shape.First(g); c < shape.First(g + 1); c++)
                    {
                        double product = rstd * (products[c] - mean * sums[c]);
                        (dWeight[c], dBias[c]) = ((float)product, (float)sums[c]);
                        (m1, m2) = (m1 + weight[c] * sums[c] / count, m2 + weight[c] * product / count);
                    }
                    slope.AsSpan(shape.First(g), shape.PerGroup).Fill((float)(-rstd * rstd * m2));
                    constant.AsSpan(shape.First(g), shape.PerGroup).Fill((float)(-rstd * m1 + rstd * rstd * m2 * mean));
                }
                fixed (
                    float* s = scale,
                        l = slope,
                        k = constant
                )
                    NormSiluKernel<T>.Combine(picture, d, shape.Pixels, shape.Channels, s, l, k);
            }
            GC.KeepAlive(gradient);
            return [dx, da, db, null!, null!];
        }

        /// <summary>u = scale x + shift for one picture.</summary>
        private static void Affine(Shape shape, int n, float* statistics, Tensor a, Tensor b, float[] scale, float[] shift)
        {
            float* weight = (float*)TensorData.Pointer(a) + n * shape.Channels,
                bias = (float*)TensorData.Pointer(b) + n * shape.Channels;
            for (int c = 0; c < shape.Channels; c++)
            {
                float mean = statistics[c / shape.PerGroup],
                    rstd = statistics[shape.Groups + c / shape.PerGroup];
                scale[c] = rstd * weight[c];
                shift[c] = bias[c] - mean * scale[c];
            }
        }
    }

    private readonly struct Shape(Tensor x, int groups)
    {
        public readonly int Pictures = (int)x.shape[0],
            Channels = (int)x.shape[1],
            Pixels = checked((int)(x.shape[2] * x.shape[3])),
            Groups = groups,
            PerGroup = (int)x.shape[1] / groups;

        /// <summary>Values of one picture.</summary>
        public long Stride => (long)Pixels * Channels;

        /// <summary>First channel of a group.</summary>
        public int First(int group) => group * PerGroup;
    }
}
