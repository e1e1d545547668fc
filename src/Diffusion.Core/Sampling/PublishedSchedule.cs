namespace Diffusion.Sampling;

/// <summary>The float32 tables of published samplers: betas rounded to float32, then product, 1 - a and roots in float32.</summary>
/// <remarks>Their rounding matters at low noise: 1 - 0.9999f is 1.00016594e-4, and a network's time may depend on its logarithm.</remarks>
public sealed class PublishedSchedule
{
    internal PublishedSchedule(NoiseSchedule schedule)
    {
        float[] alphaBar = new float[schedule.Steps];
        float product = 1;
        for (int t = 0; t < alphaBar.Length; t++)
            alphaBar[t] = product *= 1 - (float)schedule.Betas[t];
        Betas = [.. schedule.Betas.Select(beta => (float)beta)];
        AlphaBar = alphaBar;
        SqrtAlphaBar = [.. alphaBar.Select(MathF.Sqrt)];
        SqrtOneMinusAlphaBar = [.. alphaBar.Select(a => MathF.Sqrt(1 - a))];
        Sigmas = [.. alphaBar.Select(a => MathF.Sqrt(1 - a) / MathF.Sqrt(a))];
    }

    /// <summary>T.</summary>
    public int Steps => AlphaBar.Count;

    /// <summary>beta_t.</summary>
    public IReadOnlyList<float> Betas { get; }

    /// <summary>alphaBar_t.</summary>
    public IReadOnlyList<float> AlphaBar { get; }

    /// <summary>sqrt(alphaBar_t).</summary>
    public IReadOnlyList<float> SqrtAlphaBar { get; }

    /// <summary>sqrt(1 - alphaBar_t).</summary>
    public IReadOnlyList<float> SqrtOneMinusAlphaBar { get; }

    /// <summary>sqrt(1 - alphaBar_t) / sqrt(alphaBar_t): the "reduced alpha cumprod" of RDMD and DiffPIR.</summary>
    public IReadOnlyList<float> Sigmas { get; }

    /// <summary>alphaBar_t, with alphaBar_{-1} = 1.</summary>
    public float AlphaBarAt(int t) => t < 0 ? 1 : AlphaBar[t];

    /// <summary>The time whose sigma is nearest; the first of equally near ones.</summary>
    public int Nearest(float sigma)
    {
        int best = 0;
        for (int t = 1; t < Steps; t++)
            if (MathF.Abs(Sigmas[t] - sigma) < MathF.Abs(Sigmas[best] - sigma))
                best = t;
        return best;
    }

    /// <summary>The weight of the prior term in half-quadratic splitting at each time: rho_t = weight s^2 / sigma_t^2.</summary>
    /// <param name="weight">lambda (DiffPIR) or lambda tau (RDMD).</param>
    /// <param name="noise">s: standard deviation of the measurement noise, at least the published floor.</param>
    public float[] SplittingWeights(double weight, double noise) =>
        [.. Sigmas.Select(sigma => (float)(weight * noise * noise / ((double)sigma * sigma)))];
}
