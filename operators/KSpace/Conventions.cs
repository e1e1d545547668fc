namespace Diffusion.Operators;

/// <summary>Where frequency zero lies in an array of frequencies.</summary>
public enum Centering
{
    /// <summary>Where the largest value lies; said.</summary>
    Auto,

    /// <summary>In the middle, and the picture's origin too: fftshift(fft2(ifftshift(x))), as fastMRI, BART and sigpy have it.</summary>
    True,

    /// <summary>First, as numpy.fft.fft2(x) has it.</summary>
    False,

    /// <summary>In the middle, but the picture's origin is its corner: fftshift(fft2(x)).</summary>
    Kspace,
}

/// <summary>Which frequencies an array holds.</summary>
public enum FourierPlane
{
    /// <summary>Half a plane where its columns are those of numpy.fft.rfft2; said.</summary>
    Auto,

    /// <summary>All of them.</summary>
    Full,

    /// <summary>The columns 0 to width/2, as numpy.fft.rfft2 has them.</summary>
    Half,
}

/// <summary>The normalisation of a discrete Fourier transform, by NumPy's names.</summary>
public enum FourierNorm
{
    /// <summary>The one that brings the picture to [0,1]; ortho where none does.</summary>
    Auto,

    /// <summary>The sum over the root of the number of pixels, as in magnetic-resonance imaging.</summary>
    Ortho,

    /// <summary>The plain sum: NumPy's default.</summary>
    Backward,

    /// <summary>The mean.</summary>
    Forward,
}
