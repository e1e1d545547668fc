namespace Diffusion.Sampling;

/// <summary>
/// q(x_s | x_t, x0), the Gaussian of an ancestral step from time t to an earlier time s of a variance-preserving schedule. Ho et al.,
/// "Denoising Diffusion Probabilistic Models" (2020), equations 6 and 7.
/// </summary>
/// <param name="Beta">1 - alphaBar_t / alphaBar_s: beta_t where s = t - 1, and that of the respaced schedule where it is not.</param>
/// <param name="X0">The weight of x0 in the mean.</param>
/// <param name="Xt">The weight of x_t in the mean.</param>
/// <param name="Variance">Its variance.</param>
public readonly record struct Posterior(double Beta, double X0, double Xt, double Variance)
{
    /// <summary>The step between two levels.</summary>
    /// <param name="abar">alphaBar_t, above 0 and below 1.</param>
    /// <param name="before">alphaBar_s; 1 for the clean picture.</param>
    public static Posterior Between(double abar, double before)
    {
        double beta = 1 - abar / before;
        return new(
            beta,
            beta * Math.Sqrt(before) / (1 - abar),
            (1 - before) * Math.Sqrt(1 - beta) / (1 - abar),
            beta * (1 - before) / (1 - abar)
        );
    }

    /// <summary>
    /// The logarithm of a learned variance: f ln(beta) + (1 - f) ln(variance), f = (v + 1) / 2 (Nichol and Dhariwal 2021, equation 15).
    /// </summary>
    /// <param name="v">The network's variance channels, [N,C,H,W], borrowed.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public Tensor LearnedLogVariance(Tensor v)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = (v + 1) / 2;
        return (f * Math.Log(Beta) + (1 - f) * Math.Log(Variance)).MoveToOuterDisposeScope();
    }
}
