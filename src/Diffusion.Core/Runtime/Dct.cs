namespace Diffusion.Runtime;

/// <summary>The orthonormal discrete cosine transform DCT-II and its inverse, over the last two dimensions, by real FFTs (Makhoul 1980): O(n log n) for any size.</summary>
/// <remarks>It diagonalises convolution with a symmetric kernel on a picture mirrored at its edges with the edge pixel repeated.</remarks>
public static class Dct
{
    /// <summary>X[k,l] = sum x[i,j] c_k cos(pi k (2i+1) / 2H) c_l cos(pi l (2j+1) / 2W), c_0 = sqrt(1/n), else sqrt(2/n).</summary>
    /// <param name="x">[..., H, W], float32 or float64.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return ForwardRows(ForwardRows(x).transpose(-1, -2)).transpose(-1, -2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The inverse (and transpose) of <see cref="Forward"/>.</summary>
    public static Tensor Inverse(Tensor coefficients)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return InverseRows(InverseRows(coefficients).transpose(-1, -2)).transpose(-1, -2).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor ForwardRows(Tensor x)
    {
        long n = x.shape[^1], half = n / 2;
        if (n == 1) return x;
        // Even samples forwards, then odd samples backwards: their FFT times a quarter-sample phase holds X[k] in its real and -X[n-k] in its imaginary part.
        Tensor v = x.index_select(-1, Order(n, x.device));
        Tensor t = torch.fft.rfft(v) * Phase(n, x, -1);
        Tensor upper = -t.imag.slice(-1, 1, n - half, 1).flip(-1);
        return torch.cat([t.real, upper], -1) * Scale(n, x);
    }

    private static Tensor InverseRows(Tensor coefficients)
    {
        long n = coefficients.shape[^1], half = n / 2;
        if (n == 1) return coefficients;
        Tensor c = coefficients / Scale(n, coefficients);
        Tensor imaginary = torch.cat([torch.zeros_like(c.slice(-1, 0, 1, 1)), -c.slice(-1, n - half, n, 1).flip(-1)], -1);
        Tensor v = torch.fft.irfft(torch.complex(c.slice(-1, 0, half + 1, 1).contiguous(), imaginary) * Phase(n, coefficients, 1), n);
        return v.index_select(-1, Order(n, coefficients.device).argsort());
    }

    private static Tensor Order(long n, Device device)
        => torch.cat([torch.arange(0, n, 2, device: device), torch.arange(1, n, 2, device: device).flip(0)]);

    private static Tensor Phase(long n, Tensor like, int sign)
    {
        Tensor angle = torch.arange(n / 2 + 1, dtype: ScalarType.Float64, device: like.device) * (sign * Math.PI / (2 * n));
        return torch.complex(angle.cos().to(like.dtype), angle.sin().to(like.dtype));
    }

    private static Tensor Scale(long n, Tensor like)
    {
        Tensor scale = torch.full([n], Math.Sqrt(2.0 / n), dtype: like.dtype, device: like.device);
        scale[0] = torch.tensor(Math.Sqrt(1.0 / n), dtype: like.dtype, device: like.device);
        return scale;
    }
}
