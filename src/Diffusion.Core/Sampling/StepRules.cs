namespace Diffusion.Sampling;

/// <summary>One step of a sampler, from a network's estimate to the next, less noisy picture.</summary>
/// <remarks>
/// <para>
/// Variance preserving (x_t = sqrt(a) x0 + sqrt(1 - a) n, a = alphaBar of this time, b = alphaBar of the next): <see cref="Ddim"/>, <see
/// cref="Ddpm"/>. Variance exploding (x = x0 + sigma n): <see cref="Euler"/>, <see cref="EulerAncestral"/>; sigma = sqrt((1 - a) / a) and x
/// = x_t / sqrt(a) lead from one to the other.
/// </para>
/// Tensors are borrowed and of one shape; results are the caller's. Noise is standard normal.
/// </remarks>
public static class StepRules
{
    /// <summary>
    /// x' = sqrt(b) x0 + sqrt(1 - b - s^2) eps + s noise, s = eta sqrt((1 - b) / (1 - a) (1 - a / b)) (Song et al., "Denoising Diffusion
    /// Implicit Models", 2021, equation 12).
    /// </summary>
    /// <param name="x0">[N,C,H,W] the estimate of the clean picture, borrowed.</param>
    /// <param name="epsilon">[N,C,H,W] the estimate of the noise, borrowed.</param>
    /// <param name="alphaBar">a.</param>
    /// <param name="next">b, at least a.</param>
    /// <param name="eta">0: no noise is added; 1: as much as in DDPM.</param>
    /// <param name="noise">Needed where eta is not 0.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">eta is not 0 and there is no noise.</exception>
    public static Tensor Ddim(Tensor x0, Tensor epsilon, double alphaBar, double next, double eta = 0, Tensor? noise = null)
    {
        double s = eta * Math.Sqrt((1 - next) / (1 - alphaBar) * (1 - alphaBar / next));
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = Math.Sqrt(next) * x0 + Math.Sqrt(1 - next - s * s) * epsilon;
        if (eta != 0)
            x = x + s * (noise ?? throw new ArgumentException("A step of DDIM with eta above 0 needs noise."));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The mean of q(x_{t-1} | x_t, x0), sqrt(b) (1 - a/b) / (1 - a) x0 + sqrt(a/b) (1 - b) / (1 - a) x_t, and noise of its variance
    /// (1 - b) / (1 - a) (1 - a/b) (Ho et al., "Denoising Diffusion Probabilistic Models", 2020, equation 7).
    /// </summary>
    /// <param name="x0">[N,C,H,W] the estimate of the clean picture, borrowed.</param>
    /// <param name="xt">[N,C,H,W] the picture at this time, borrowed.</param>
    /// <param name="alphaBar">a.</param>
    /// <param name="next">b, at least a.</param>
    /// <param name="noise">null: the mean alone, as in the last step.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Ddpm(Tensor x0, Tensor xt, double alphaBar, double next, Tensor? noise)
    {
        Posterior posterior = Posterior.Between(alphaBar, next);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = posterior.X0 * x0 + posterior.Xt * xt;
        if (noise is not null)
            x = x + Math.Sqrt(Math.Max(posterior.Variance, 1e-20)) * noise;
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>x' = x + (x - x0) / sigma (sigma' - sigma) (Karras et al. 2022, algorithm 1 without its second-order correction).</summary>
    /// <param name="x">[N,C,H,W] the picture at noise level <paramref name="sigma"/>.</param>
    /// <param name="x0">[N,C,H,W] the estimate of the clean picture, borrowed.</param>
    /// <param name="sigma">Above 0.</param>
    /// <param name="next">sigma'.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Euler(Tensor x, Tensor x0, double sigma, double next)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (x + (x - x0) / sigma * (next - sigma)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Splits a step from sigma to sigma' into one down to <c>Down</c> and noise <c>Up</c> added on top: up^2 + down^2 = sigma'^2.
    /// </summary>
    /// <param name="sigma">Above 0.</param>
    /// <param name="next">sigma'.</param>
    /// <param name="eta">Share of the noise that is fresh; 0: none.</param>
    public static (double Down, double Up) Ancestral(double sigma, double next, double eta = 1)
    {
        double up = Math.Min(next, eta * Math.Sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)));
        return (Math.Sqrt(next * next - up * up), up);
    }

    /// <summary><see cref="Euler"/> down to <see cref="Ancestral"/>'s <c>Down</c>, and its noise <c>Up</c>.</summary>
    /// <param name="x">[N,C,H,W] the picture at noise level <paramref name="sigma"/>.</param>
    /// <param name="x0">[N,C,H,W] the estimate of the clean picture, borrowed.</param>
    /// <param name="sigma">Above 0.</param>
    /// <param name="next">sigma'.</param>
    /// <param name="noise">May be null where sigma' is 0.</param>
    /// <param name="eta">Share of the noise that is fresh.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">Noise is to be added and there is none.</exception>
    public static Tensor EulerAncestral(Tensor x, Tensor x0, double sigma, double next, Tensor? noise, double eta = 1)
    {
        (double down, double up) = Ancestral(sigma, next, eta);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor result = Euler(x, x0, sigma, down);
        if (up > 0)
            result = result + up * (noise ?? throw new ArgumentException("An ancestral step to a level above 0 needs noise."));
        return result.MoveToOuterDisposeScope();
    }
}
