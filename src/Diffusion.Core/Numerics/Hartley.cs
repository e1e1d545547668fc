namespace Diffusion.Numerics;

/// <summary>
/// The two-dimensional discrete Hartley transform, Re F - Im F of the orthonormal Fourier transform F: real, orthonormal and its own
/// inverse.
/// </summary>
/// <remarks>
/// It is the real basis of everything that circular convolution diagonalises: a gain that is the same at k and -k multiplies its
/// coefficients.
/// </remarks>
public static class Hartley
{
    /// <summary>Re F - Im F over the last two dimensions.</summary>
    /// <param name="x">[..., H, W] real.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Transform(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return FromFourier(torch.fft.fft2(x, norm: FFTNormType.Ortho)).MoveToOuterDisposeScope();
    }

    /// <summary>The Hartley coefficients of a picture with the Fourier coefficients <paramref name="f"/>.</summary>
    /// <param name="f">[...,H,W] complex, borrowed.</param>
    /// <returns>[...,H,W] real; the caller owns it.</returns>
    public static Tensor FromFourier(Tensor f)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (f.real - f.imag).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The Fourier coefficients of the real picture with the Hartley coefficients <paramref name="h"/>: the even part is real, the odd part
    /// imaginary.
    /// </summary>
    /// <param name="h">[...,H,W] real, borrowed.</param>
    /// <returns>[...,H,W] complex; the caller owns it.</returns>
    public static Tensor ToFourier(Tensor h)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor mirrored = h.flip(-1, -2).roll([1, 1], [-1, -2]);
        return torch.complex((h + mirrored) / 2, (mirrored - h) / 2).MoveToOuterDisposeScope();
    }
}
