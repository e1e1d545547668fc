using System.Numerics;
using System.Runtime.InteropServices;
using Diffusion.Native;
using Diffusion.Operators;

namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Camera shake: the mean of the linear light along a random trajectory (Boracchi and Foi 2012, "Modeling the performance of image
/// restoration from motion blur"), <see cref="BlurKernels.CameraShake"/>. The camera may rest for a part of the exposure.
/// </summary>
/// <remarks>
/// Strength: the trajectory's reach, from 0.1 % to 9 % of the picture, in the logarithm. Contrast: the part of the exposure in which the
/// camera moves, 40 % to all of it: long paths with rest change much a little, short ones without change edges alone.
/// </remarks>
internal sealed class MotionBlurRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.MotionBlur;

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth) => new Scene(clean, draws.Seed(), draws.LogUniform(0.08, 0.7));

    private sealed class Scene(Canvas clean, ulong seed, double narrow) : IScene
    {
        private const double Shortest = 0.001,
            Longest = 0.09,
            LeastMoving = 0.4;
        private readonly Canvas _linear = clean.Map(ToneCurve.ToLinear.At);

        public Canvas Render(double strength, double contrast)
        {
            double reach = Shortest * Math.Pow(Longest / Shortest, strength) / 2 * clean.Unit,
                moving = LeastMoving + (1 - LeastMoving) * contrast;
            List<(int Y, int X, float Weight)> taps = Taps(reach, moving);
            int side = taps.Max(tap => Math.Max(Math.Abs(tap.X), Math.Abs(tap.Y)));
            Canvas result = new(clean.Height, clean.Width);
            for (int c = 0; c < 3; c++)
                Convolve(_linear.Planes[c], result.Planes[c], taps, side);
            return result.Map(ToneCurve.ToSrgb.At);
        }

        private List<(int Y, int X, float Weight)> Taps(double reach, double moving)
        {
            using FinalizerHold hold = new();
            using Tensor kernel = BlurKernels.CameraShake(reach, seed, narrow);
            int size = (int)kernel.shape[0];
            double[] values = kernel.data<double>().ToArray();
            List<(int Y, int X, float Weight)> taps = [];
            for (int i = 0; i < values.Length; i++)
            {
                (int y, int x) = (i / size - size / 2, i % size - size / 2);
                double weight = moving * values[i] + (x == 0 && y == 0 ? 1 - moving : 0);
                if (weight > 0)
                    taps.Add((y, x, (float)weight));
            }
            return taps;
        }

        // Each tap adds a shifted row: the edge is repeated.
        private void Convolve(float[] from, float[] to, List<(int Y, int X, float Weight)> taps, int side)
        {
            int width = clean.Width;
            float[] padded = new float[width + 2 * side];
            ILookup<int, (int Y, int X, float Weight)> rows = taps.ToLookup(tap => tap.Y);
            for (int source = -side; source < clean.Height + side; source++)
            {
                ReadOnlySpan<float> line = from.AsSpan(Math.Clamp(source, 0, clean.Height - 1) * width, width);
                line.CopyTo(padded.AsSpan(side));
                padded.AsSpan(0, side).Fill(line[0]);
                padded.AsSpan(side + width).Fill(line[^1]);
                foreach (IGrouping<int, (int Y, int X, float Weight)> row in rows)
                {
                    int target = source - row.Key;
                    if (target < 0 || target >= clean.Height)
                        continue;
                    Span<float> sum = to.AsSpan(target * width, width);
                    foreach ((_, int x, float weight) in row)
                        Add(sum, padded.AsSpan(side + x, width), weight);
                }
            }
        }

        private static void Add(Span<float> sum, ReadOnlySpan<float> values, float weight)
        {
            Span<Vector<float>> wide = MemoryMarshal.Cast<float, Vector<float>>(sum);
            ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(values);
            for (int i = 0; i < wide.Length; i++)
                wide[i] += from[i] * weight;
            for (int i = wide.Length * Vector<float>.Count; i < sum.Length; i++)
                sum[i] += values[i] * weight;
        }
    }
}
