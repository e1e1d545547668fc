using System.Numerics;

namespace Diffusion.Numerics;

/// <summary>
/// An orthonormal Walsh-Hadamard transform for pictures of any size: in each direction of n = 2^a q pixels (q odd) the natural-order
/// Hadamard matrix of size 2^a times the DCT of size q.
/// </summary>
/// <remarks>
/// For powers of two it is the Hadamard matrix of size H W / sqrt(H W) on row-major pixels. Coefficient 0 is the mean times sqrt(H W) at
/// every size. O(n log n), nothing dense.
/// </remarks>
public static class WalshHadamard
{
    /// <summary>The transform over the last two dimensions.</summary>
    /// <param name="x">[..., H, W] float32.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Forward(Tensor x) => Transform(x, Dct.Forward);

    /// <summary>The inverse (and transpose) of <see cref="Forward"/>.</summary>
    /// <param name="coefficients">[..., H, W] float32, borrowed.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Inverse(Tensor coefficients) => Transform(coefficients, Dct.Inverse);

    private static Tensor Transform(Tensor x, Func<Tensor, Tensor> dct)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long[] shape = x.shape;
        (long h, long w) = (shape[^2], shape[^1]);
        (int a, int b) = (BitOperations.TrailingZeroCount(h), BitOperations.TrailingZeroCount(w));
        (long p, long q) = (h >> a, w >> b);
        // [..., 2, ..., 2, p, 2, ..., 2, q]: one butterfly per dimension of length two.
        Tensor t = x.reshape(-1, 1L << a, p, 1L << b, q);
        t = Along(t, 1, a);
        t = Along(t, 3, b);
        if (p > 1 || q > 1)
            t = dct(t.permute(0, 1, 3, 2, 4)).permute(0, 1, 3, 2, 4);
        return t.reshape(shape).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The transform along one dimension, up to four butterflies at a time: a product with a matrix of 16 x 16 reads the picture once where
    /// four butterflies read it eight times.
    /// </summary>
    private static Tensor Along(Tensor t, int dim, int levels)
    {
        long[] shape = t.shape;
        long after = shape[(dim + 1)..].Aggregate(1L, (product, n) => product * n),
            block = shape[dim];
        for (int left = levels; left > 0; )
        {
            using DisposeScope scope = torch.NewDisposeScope();
            int together = Math.Min(4, left);
            long radix = 1L << together,
                inner = block / radix * after;
            Tensor matrix = Matrix(together).to(t.dtype).to(t.device);
            Tensor next = inner == 1 ? t.reshape(-1, radix).matmul(matrix) : matrix.matmul(t.reshape(-1, radix, inner));
            if (left < levels)
                t.Dispose();
            t = next.reshape(shape).MoveToOuterDisposeScope();
            (left, block) = (left - together, block / radix);
        }
        return t;
    }

    /// <summary>The orthonormal Hadamard matrix of size 2^levels, which is symmetric.</summary>
    private static Tensor Matrix(int levels)
    {
        int n = 1 << levels;
        double scale = Math.Pow(2, -0.5 * levels);
        return torch.tensor(
            Enumerable.Range(0, n * n).Select(i => (BitOperations.PopCount((uint)(i / n & i % n)) & 1) == 0 ? scale : -scale).ToArray(),
            [n, n]
        );
    }
}
