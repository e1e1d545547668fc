using System.Numerics;

namespace Diffusion.Runtime;

/// <summary>
/// An orthonormal Walsh-Hadamard transform for pictures of any size: in each direction of n = 2^a q pixels (q odd) the natural-order Hadamard matrix of size 2^a times the DCT of size q.
/// </summary>
/// <remarks>
/// For powers of two it is the Hadamard matrix of size H W / sqrt(H W) on row-major pixels. Coefficient 0 is the mean times sqrt(H W) at every size. O(n log n), nothing dense.
/// </remarks>
public static class WalshHadamard
{
    /// <summary>The transform over the last two dimensions.</summary>
    /// <param name="x">[..., H, W] float32.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Forward(Tensor x) => Transform(x, Dct.Forward);

    /// <summary>The inverse (and transpose) of <see cref="Forward"/>.</summary>
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
        t = Butterflies(t, 1, a);
        t = Butterflies(t, 3, b);
        if (p > 1 || q > 1) t = dct(t.permute(0, 1, 3, 2, 4)).permute(0, 1, 3, 2, 4);
        return t.reshape(shape).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Butterflies(Tensor t, int dim, int levels)
    {
        long[] shape = t.shape;
        long n = shape[dim];
        for (int level = 0; level < levels; level++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            long block = n >> level;
            Tensor pairs = t.reshape([.. shape[..dim], n / block, 2, block / 2, .. shape[(dim + 1)..]]);
            Tensor upper = pairs.select(dim + 1, 0), lower = pairs.select(dim + 1, 1);
            Tensor next = torch.stack([upper + lower, upper - lower], dim + 1).reshape(shape).MoveToOuterDisposeScope();
            if (level > 0) t.Dispose();
            t = next;
        }
        return levels == 0 ? t : t * Math.Pow(2, -0.5 * levels);
    }
}
