namespace Diffusion.Inverse;

/// <summary>
/// Makes noise that grows with the signal equally strong everywhere, where the measured values are pixels: the generalised Anscombe
/// transform, and back without bias.
/// </summary>
/// <remarks>
/// With D = (2 / g) sqrt(g y + (3/8) g^2 + s^2) the noise of D has a variance of 1, nearly, whatever the signal; z = (D - D(0)) / (D(1) -
/// D(0)) brings it to [0,1]. A denoiser gives the mean of D, not D of the mean: the way back is the closed form of the exact unbiased
/// inverse, x = g (D^2 / 4 + sqrt(3/2) / (4 D) - 11 / (8 D^2) + 5 sqrt(3/2) / (8 D^3) - 1/8) - s^2 / g (Makitalo and Foi, IEEE Transactions
/// on Image Processing 2013).
/// </remarks>
public sealed class VarianceStabilization
{
    private readonly double _gain,
        _variance,
        _dark,
        _span;

    /// <summary>The transform of a noise.</summary>
    /// <param name="noise">Noise that grows with the signal.</param>
    /// <exception cref="ArgumentException">Noise that does not.</exception>
    public VarianceStabilization(NoiseModel noise)
    {
        if (!(noise.Gain > 0))
            throw new ArgumentException($"Noise {noise} does not grow with the signal, and is stable as it is.", nameof(noise));
        (_gain, _variance) = (noise.Gain, noise.Sigma * noise.Sigma);
        _dark = Stable(0);
        _span = Stable(1) - _dark;
    }

    /// <summary>Standard deviation of the noise of what <see cref="Apply"/> makes.</summary>
    public double Sigma => 1 / _span;

    /// <summary>Whether an operator measures pixels as they are, so that it may as well measure the stabilised picture.</summary>
    public static bool Suits(LinearOperator a)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor picture = torch.arange(a.Input.Count, device: a.Device).to(ScalarType.Float32).sin().reshape(a.Input.Batch(1));
        return (a.Apply(picture.square()) - a.Apply(picture).square()).abs().max().item<float>() < 1e-5;
    }

    /// <summary>z of y.</summary>
    /// <param name="y">Measured values on [0,1], of any shape; borrowed.</param>
    /// <returns>The same shape, float32: 0 and 1 stay what they are; the caller owns it.</returns>
    public Tensor Apply(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor inside = y.to(ScalarType.Float64) * _gain + (3.0 / 8 * _gain * _gain + _variance);
        return ((inside.clamp_min(0).sqrt() * (2 / _gain) - _dark) / _span).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>x of the mean of z.</summary>
    /// <param name="z">What a denoiser made of <see cref="Apply"/>'s result, of any shape; borrowed.</param>
    /// <returns>The same shape, float32, on [0,1]; the caller owns it.</returns>
    public Tensor Invert(Tensor z)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double root = Math.Sqrt(1.5);
        Tensor d = (z.to(ScalarType.Float64) * _span + _dark).clamp_min(root),
            inverse = d.reciprocal();
        Tensor photons = d.square() / 4 + inverse * (root / 4 + inverse * (-11.0 / 8 + inverse * (5.0 / 8 * root))) - 1.0 / 8;
        return (photons * _gain - _variance / _gain).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private double Stable(double y) => 2 / _gain * Math.Sqrt(_gain * y + 3.0 / 8 * _gain * _gain + _variance);
}
