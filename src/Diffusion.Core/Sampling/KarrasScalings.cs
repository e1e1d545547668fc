namespace Diffusion.Sampling;

/// <summary>
/// How a network F becomes a denoiser: D(x, sigma) = c_skip x + c_out F(c_in x, time). Karras et al. (2022); Song et al. (2023), appendix
/// C.
/// </summary>
/// <param name="SigmaData">s: standard deviation of the pictures.</param>
/// <param name="SigmaMin">m: the level at which a consistency model returns its input; 0 for a plain denoiser.</param>
public readonly record struct KarrasScalings(double SigmaData, double SigmaMin)
{
    /// <summary>Consistency models: D(x, 0.002) = x.</summary>
    public static KarrasScalings Consistency { get; } = new(0.5, 0.002);

    /// <summary>EDM denoisers.</summary>
    public static KarrasScalings Edm { get; } = new(0.5, 0);

    /// <summary>c_skip = s^2 / ((sigma - m)^2 + s^2).</summary>
    public double Skip(double sigma) => SigmaData * SigmaData / ((sigma - SigmaMin) * (sigma - SigmaMin) + SigmaData * SigmaData);

    /// <summary>c_out = (sigma - m) s / sqrt(sigma^2 + s^2).</summary>
    public double Out(double sigma) => (sigma - SigmaMin) * SigmaData / Math.Sqrt(sigma * sigma + SigmaData * SigmaData);

    /// <summary>c_in = 1 / sqrt(sigma^2 + s^2).</summary>
    public double In(double sigma) => 1 / Math.Sqrt(sigma * sigma + SigmaData * SigmaData);

    /// <summary>The time that the network is told: 250 ln(sigma).</summary>
    public static double Time(double sigma) => 1000 * 0.25 * Math.Log(sigma + 1e-44);
}
