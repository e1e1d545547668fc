namespace Diffusion.Priors;

/// <summary>A discrete variance-preserving schedule: x_t = sqrt(alphaBar_t) x0 + sqrt(1 - alphaBar_t) n, t = 0..T-1.</summary>
public sealed class NoiseSchedule
{
    private readonly double[] _alphaBar;

    /// <summary>A schedule from its betas (float64).</summary>
    public NoiseSchedule(IReadOnlyList<double> betas)
    {
        Betas = [.. betas];
        _alphaBar = new double[betas.Count];
        double product = 1;
        for (int t = 0; t < betas.Count; t++) _alphaBar[t] = product *= 1 - betas[t];
    }

    /// <summary>T.</summary>
    public int Steps => _alphaBar.Length;
    /// <summary>beta_t.</summary>
    public IReadOnlyList<double> Betas { get; }
    /// <summary>alphaBar_t = prod_{k &lt;= t} (1 - beta_k).</summary>
    public IReadOnlyList<double> AlphaBar => _alphaBar;
    /// <summary>sigma_t = sqrt((1 - alphaBar_t) / alphaBar_t): the noise level of x_t / sqrt(alphaBar_t).</summary>
    public double Sigma(int t) => Math.Sqrt((1 - _alphaBar[t]) / _alphaBar[t]);
    /// <summary>Equally spaced betas.</summary>
    public static NoiseSchedule Linear(double start = 1e-4, double end = 0.02, int steps = 1000)
        => new([.. Enumerable.Range(0, steps).Select(t => steps == 1 ? start : start + (end - start) * t / (steps - 1))]);
}
