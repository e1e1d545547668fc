using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>What noise a sampler puts back after it has corrected its estimate of the clean picture.</summary>
public enum InjectionKind
{
    /// <summary>As the sampler's own paper says.</summary>
    Own,

    /// <summary>As CM4IR does: see <see cref="NoiseInjection"/>.</summary>
    Cm4ir,
}

/// <summary>
/// CM4IR's noise injection for any guided sampler: the noise of the next step is mixed of fresh noise and of the <em>negative</em> of the
/// noise estimate before guidance,
/// and the network may be told more noise than there is.
/// Garber and Tirer, "Zero-Shot Image Restoration Using Few-Step Guidance of Consistency Models (and Beyond)", CVPR 2025, arXiv 2412.20596.
/// </summary>
/// <remarks>
/// With x0 the estimate before guidance and x0g the one after it, abar and abar' the levels of this and of the next step:
/// z = (sqrt(abar) x0 - x) / sqrt(1 - abar); x' = sqrt(abar') x0g + sqrt(1 - abar') (eta n + sqrt(1 - eta^2) z).
/// The usual samplers take +z (up to guidance): a remainder of noise that the network left in x0 then is added once more, where here it is
/// subtracted.
/// </remarks>
/// <param name="Eta">eta: share of fresh noise.</param>
/// <param name="Delta">delta: the network is told the noise level (1 + delta) sigma.</param>
public readonly record struct NoiseInjection(double Eta, double Delta)
{
    /// <summary>x' from x, x0 and x0g.</summary>
    /// <param name="run">Where fresh noise comes from.</param>
    /// <param name="x">The iterate, [N,C,H,W], borrowed.</param>
    /// <param name="x0">The estimate before guidance, likewise.</param>
    /// <param name="guided">The estimate after it, likewise.</param>
    /// <param name="abar">abar of this step.</param>
    /// <param name="next">abar of the next one; 1 where there is none.</param>
    /// <returns>[N,C,H,W]; the caller owns it. <paramref name="guided"/> itself where there is no next step.</returns>
    public Tensor Next(VpRun run, Tensor x, Tensor x0, Tensor guided, double abar, double next)
    {
        if (next >= 1)
            return guided;
        Tensor z = (Math.Sqrt(abar) * x0 - x) / Math.Sqrt(1 - abar);
        Tensor noise = Math.Sqrt(1 - Eta * Eta) * z;
        if (Eta > 0)
            noise = noise + Eta * run.Draw(NoiseRole.Step);
        return Math.Sqrt(next) * guided + Math.Sqrt(1 - next) * noise;
    }
}
