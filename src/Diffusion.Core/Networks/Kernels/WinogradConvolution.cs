using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Diffusion.Runtime;
using static Diffusion.Networks.Kernels.WinogradTransforms;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// A 3x3 float32 convolution with zeros around by F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
/// (2016): 36 multiplications for 16 results where the sum itself takes 144.
/// </summary>
/// <remarks>
/// Tiles of 6x6 pixels, four apart, are transformed to V = B^T d B, multiplied with the transformed kernels U = G g G^T by 36 small matrix
/// products, and brought back by Y = A^T M A. A batch of tiles goes through all three steps in the cache: about twice as fast as oneDNN's
/// direct kernels on AVX-512 and AVX2 from 64
/// channels on. Rounding errors reach 1e-4 of the result's standard deviation.
/// </remarks>
internal static unsafe class WinogradConvolution
{
    private const int Step = 4,
        Side = 6,
        Positions = Side * Side;

    /// <summary>
    /// Floats that a batch of tiles takes, transformed and multiplied, where the channels are not too many: half a core's own cache.
    /// </summary>
    private const int BatchFloats = 1 << 17;

    /// <summary>
    /// Pixels of a picture below which transforming the kernels takes what the tiles save, and the largest kernel whose transform (four
    /// times its size) is worth the memory.
    /// </summary>
    private const long LeastPixels = 2048,
        MostWeights = 512 * 512;

    /// <summary>Whether the kernel can compute this and is the faster one.</summary>
    /// <param name="x">[N,C,H,W].</param>
    /// <param name="weight">[K,C,3,3].</param>
    public static bool Applies(Tensor x, Tensor weight) =>
        Fma.IsSupported
        && x.dtype == ScalarType.Float32
        && weight.dtype == ScalarType.Float32
        && weight.shape is [var outputs, var inputs, 3, 3]
        && outputs % TileProducts.Outputs == 0
        && outputs * inputs <= MostWeights
        && x.shape[2] * x.shape[3] >= LeastPixels
        && FusedGroupNorm.Applies(x);

    /// <summary>Computes it.</summary>
    /// <param name="x">[N,C,H,W] for which <see cref="Applies"/> holds, borrowed.</param>
    /// <param name="weight">[K,C,3,3], borrowed.</param>
    /// <param name="bias">[K] float32, borrowed, or null.</param>
    /// <returns>[N,K,H,W], channels last; the caller owns it.</returns>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias)
    {
        Job job = new((int)x.shape[1], (int)weight.shape[0], (int)x.shape[2], (int)x.shape[3]);
        long tiles = x.shape[0] * job.Tiles;
        // The result comes first: small blocks in libtorch's heap before it would split the hole that it fits.
        Tensor rows = torch.empty([x.shape[0], x.shape[2], x.shape[3], weight.shape[0]], ScalarType.Float32);
        float[] transformed = ArrayPool<float>.Shared.Rent(Positions * job.Inputs * (int)weight.shape[0]);
        fixed (float* start = transformed)
        {
            float* source = Pointer(x),
                target = Pointer(rows),
                u = start,
                offset = bias is null ? null : Pointer(bias);
            using (
                Tensor turned = weight.permute(2, 3, 1, 0),
                    kernels = turned.contiguous()
            )
            {
                float* g = Pointer(kernels);
                Workers.Run(job.Inputs, input => job.TransformKernels(g, u, input));
            }
            Workers.Run((int)((tiles + job.Batch - 1) / job.Batch), item =>
            {
                long first = (long)item * job.Batch;
                job.Run(source, u, offset, target, first, (int)Math.Min(job.Batch, tiles - first));
            });
        }
        ArrayPool<float>.Shared.Return(transformed);
        GC.KeepAlive((x, bias));
        using (rows)
            return rows.permute(0, 3, 1, 2);

        static float* Pointer(Tensor t) => (float*)TensorData.Pointer(t);
    }

    private sealed class Job(int inputs, int outputs, int height, int width)
    {
        private readonly int _across = (width + Step - 1) / Step,
            _down = (height + Step - 1) / Step;

        public int Inputs => inputs;

        /// <summary>Tiles of a picture.</summary>
        public long Tiles => (long)_across * _down;

        /// <summary>Tiles that go through the three steps together.</summary>
        public int Batch { get; } =
            Math.Clamp(BatchFloats / (Positions * (inputs + outputs)) / TileProducts.Tiles, 2, 8) * TileProducts.Tiles;

        /// <summary>U of one input channel: [36][input][output] from [9][input][output].</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void TransformKernels(float* g, float* u, int input)
        {
            int plane = inputs * outputs;
            Vector512<float>* rows = stackalloc Vector512<float>[Side * 3],
                whole = stackalloc Vector512<float>[Side];
            for (int k = 0; k < outputs; k += Lanes.Count)
            {
                float* from = g + input * outputs + k,
                    to = u + input * outputs + k;
                for (int j = 0; j < 3; j++)
                    Kernel(
                        Vector512.Load(from + j * plane),
                        Vector512.Load(from + (3 + j) * plane),
                        Vector512.Load(from + (6 + j) * plane),
                        rows + j,
                        3
                    );
                for (int i = 0; i < Side; i++)
                {
                    Kernel(rows[3 * i], rows[3 * i + 1], rows[3 * i + 2], whole, 1);
                    for (int j = 0; j < Side; j++)
                        whole[j].Store(to + (Side * i + j) * plane);
                }
            }
        }

        /// <summary>Some tiles from picture to result.</summary>
        public void Run(float* x, float* u, float* bias, float* y, long first, int count)
        {
            int padded = (count + TileProducts.Tiles - 1) / TileProducts.Tiles * TileProducts.Tiles,
                vPlane = padded * inputs + Lanes.Count,
                mPlane = padded * outputs + Lanes.Count;
            float[] scratch = ArrayPool<float>.Shared.Rent(Positions * (vPlane + mPlane) + Lanes.Count);
            fixed (float* start = scratch)
            {
                // Whole cache lines.
                float* v = (float*)(((nint)start + 63) & ~63),
                    m = v + Positions * vPlane;
                for (int t = 0; t < count; t++)
                {
                    (long n, int top, int left) = Place(first + t);
                    TransformInput(x + n * height * width * inputs, top - 1, left - 1, v + t * inputs, vPlane);
                }
                for (int p = 0; p < Positions; p++)
                for (int k = 0; k < outputs; k += TileProducts.Outputs)
                for (int t = 0; t < padded; t += TileProducts.Tiles)
                    TileProducts.Run(
                        v + p * vPlane + t * inputs,
                        u + (long)p * inputs * outputs + k,
                        m + p * mPlane + t * outputs + k,
                        inputs,
                        outputs
                    );
                for (int t = 0; t < count; t++)
                {
                    (long n, int top, int left) = Place(first + t);
                    TransformOutput(m + t * outputs, mPlane, bias, y + n * height * width * outputs, top, left);
                }
            }
            ArrayPool<float>.Shared.Return(scratch);
        }

        private (long Picture, int Top, int Left) Place(long tile)
        {
            (long n, long rest) = Math.DivRem(tile, Tiles);
            (long row, long column) = Math.DivRem(rest, _across);
            return (n, (int)row * Step, (int)column * Step);
        }

        /// <summary>V = B^T d B of the tile whose corner is at (top, left), which may lie outside.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void TransformInput(float* x, int top, int left, float* v, int stride)
        {
            Vector512<float>* d = stackalloc Vector512<float>[Positions];
            int step = stride / Lanes.Count;
            bool inside = top >= 0 && left >= 0 && top + Side <= height && left + Side <= width;
            for (int c = 0; c < inputs; c += Lanes.Count)
            {
                for (int i = 0; i < Side; i++)
                {
                    float* row = x + ((long)(top + i) * width + left) * inputs + c;
                    if (inside)
                        Data(
                            Vector512.Load(row),
                            Vector512.Load(row + inputs),
                            Vector512.Load(row + 2 * inputs),
                            Vector512.Load(row + 3 * inputs),
                            Vector512.Load(row + 4 * inputs),
                            Vector512.Load(row + 5 * inputs),
                            d + i * Side,
                            1
                        );
                    else
                        Data(At(row, i, 0), At(row, i, 1), At(row, i, 2), At(row, i, 3), At(row, i, 4), At(row, i, 5), d + i * Side, 1);
                }
                Vector512<float>* to = (Vector512<float>*)(v + c);
                for (int j = 0; j < Side; j++, to += step)
                    Data(d[j], d[Side + j], d[2 * Side + j], d[3 * Side + j], d[4 * Side + j], d[5 * Side + j], to, Side * step);
            }

            Vector512<float> At(float* row, int i, int j) =>
                (uint)(top + i) < (uint)height && (uint)(left + j) < (uint)width ? Vector512.Load(row + j * inputs) : default;
        }

        /// <summary>Y = A^T M A with the bias, into the 4x4 pixels at (top, left) or those of them that exist.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void TransformOutput(float* m, int stride, float* bias, float* y, int top, int left)
        {
            Vector512<float>* half = stackalloc Vector512<float>[Step * Side];
            int rows = Math.Min(Step, height - top),
                columns = Math.Min(Step, width - left);
            Vector512<float>* row = stackalloc Vector512<float>[Step];
            for (int k = 0; k < outputs; k += Lanes.Count)
            {
                for (int j = 0; j < Side; j++)
                {
                    float* from = m + k + j * stride;
                    Result(
                        Vector512.Load(from),
                        Vector512.Load(from + 6 * stride),
                        Vector512.Load(from + 12 * stride),
                        Vector512.Load(from + 18 * stride),
                        Vector512.Load(from + 24 * stride),
                        Vector512.Load(from + 30 * stride),
                        half + j,
                        Side
                    );
                }
                Vector512<float> offset = bias is null ? default : Vector512.Load(bias + k);
                for (int i = 0; i < rows; i++)
                {
                    Vector512<float>* h = half + i * Side;
                    Result(h[0], h[1], h[2], h[3], h[4], h[5], row, 1);
                    float* to = y + ((long)(top + i) * width + left) * outputs + k;
                    for (int j = 0; j < columns; j++)
                        (row[j] + offset).Store(to + j * outputs);
                }
            }
        }
    }
}
