namespace Diffusion.Numerics;

/// <summary>
/// The orthonormal discrete cosine transform DCT-II and its inverse, over the last two dimensions, by one real two-dimensional FFT (Makhoul
/// 1980): O(n log n) for any size. Returned tensors belong to the caller.
/// </summary>
/// <remarks>
/// It diagonalises convolution with a symmetric kernel on a picture mirrored at its edges with the edge pixel repeated.
/// With v the picture reordered (even samples forwards, then odd ones backwards, in both directions), V its Fourier transform, p = pi k /
/// 2H, t = pi l / 2W and a[k,l] = exp(-it) V[k,l]:
/// X[k,l] = Re exp(-ip) (a[k,l] + conj a[-k,l]) / 2 and X[k,W-l] = -Im exp(-ip) (a[k,l] - conj a[-k,l]) / 2, before scaling.
/// </remarks>
public static class Dct
{
    /// <summary>X[k,l] = sum x[i,j] c_k cos(pi k (2i+1) / 2H) c_l cos(pi l (2j+1) / 2W), c_0 = sqrt(1/n), else sqrt(2/n).</summary>
    /// <param name="x">[..., H, W], float32 or float64.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Forward(Tensor x)
    {
        if (DctKernel.Applies(x))
            return DctKernel.Forward(x);
        using DisposeScope scope = torch.NewDisposeScope();
        (long h, long w) = (x.shape[^2], x.shape[^1]);
        Tensor a = torch.fft.rfft2(Reorder(Reorder(x, -2), -1)) * Phase(w, w / 2 + 1, -1, x);
        (Tensor re, Tensor im) = (a.real, a.imag);
        (Tensor mirroredRe, Tensor mirroredIm) = (Mirror(re), Mirror(im));
        (Tensor cos, Tensor sin) = Angles(h, h, x);
        (cos, sin) = (cos.unsqueeze(1), sin.unsqueeze(1));
        Tensor left = cos * (re + mirroredRe) + sin * (im - mirroredIm);
        long others = w - 1 - w / 2;
        Tensor right = (sin * (re - mirroredRe) - cos * (im + mirroredIm)).narrow(-1, 1, others).flip(-1);
        return torch.cat([left, right], -1).mul_(Scale(h, x).unsqueeze(1) * 0.5).mul_(Scale(w, x)).MoveToOuterDisposeScope();
    }

    /// <summary>The inverse (and transpose) of <see cref="Forward"/>.</summary>
    public static Tensor Inverse(Tensor coefficients)
    {
        if (DctKernel.Applies(coefficients))
            return DctKernel.Inverse(coefficients);
        using DisposeScope scope = torch.NewDisposeScope();
        (long h, long w) = (coefficients.shape[^2], coefficients.shape[^1]);
        Tensor c = coefficients / Scale(h, coefficients).unsqueeze(1) / Scale(w, coefficients);
        // D[k,l] = C[k,l] - i C[k,W-l] and V[k,l] = exp(i (p + t)) (D[k,l] - i D[H-k,l]), where C[k,W] = D[H,l] = 0.
        Tensor d1 = c.narrow(-1, 0, w / 2 + 1),
            d2 = Opposite(c, -1).narrow(-1, 0, w / 2 + 1);
        Tensor v = torch.complex(d1 - Opposite(d2, -2), -(d2 + Opposite(d1, -2)));
        v = v * Phase(h, h, 1, coefficients).unsqueeze(1) * Phase(w, w / 2 + 1, 1, coefficients);
        return Restore(Restore(torch.fft.irfft2(v, [h, w]), -1), -2).MoveToOuterDisposeScope();
    }

    private static Tensor Reorder(Tensor x, int dim) =>
        x.shape[x.dim() + dim] < 3
            ? x
            : torch.cat([x.slice(dim, 0, x.shape[x.dim() + dim], 2), x.slice(dim, 1, x.shape[x.dim() + dim], 2).flip(dim)], dim);

    private static Tensor Restore(Tensor v, int dim)
    {
        long n = v.shape[v.dim() + dim],
            even = (n + 1) / 2;
        if (n < 3)
            return v;
        Tensor x = torch.empty_like(v);
        x.slice(dim, 0, n, 2).copy_(v.narrow(dim, 0, even));
        x.slice(dim, 1, n, 2).copy_(v.narrow(dim, even, n - even).flip(dim));
        return x;
    }

    // Row -k at row k.
    private static Tensor Mirror(Tensor t) => torch.cat([t.narrow(-2, 0, 1), t.narrow(-2, 1, t.shape[^2] - 1).flip(-2)], -2);

    // Element n - k at k, zero at 0.
    private static Tensor Opposite(Tensor t, int dim)
    {
        Tensor first = t.narrow(dim, 0, 1);
        return torch.cat([torch.zeros_like(first), t.narrow(dim, 1, t.shape[t.dim() + dim] - 1).flip(dim)], dim);
    }

    private static (Tensor Cos, Tensor Sin) Angles(long n, long count, Tensor like)
    {
        Tensor angle = torch.arange(count, dtype: ScalarType.Float64, device: like.device) * (Math.PI / (2 * n));
        return (angle.cos().to(like.dtype), angle.sin().to(like.dtype));
    }

    private static Tensor Phase(long n, long count, int sign, Tensor like)
    {
        (Tensor cos, Tensor sin) = Angles(n, count, like);
        return torch.complex(cos, sign * sin);
    }

    private static Tensor Scale(long n, Tensor like)
    {
        Tensor scale = torch.full([n], Math.Sqrt(2.0 / n), dtype: like.dtype, device: like.device);
        scale[0] = torch.tensor(Math.Sqrt(1.0 / n), dtype: like.dtype, device: like.device);
        return scale;
    }
}
