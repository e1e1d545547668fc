namespace Diffusion.Sampling;

/// <summary>
/// A discrete variance-preserving schedule: x_t = sqrt(alphaBar_t) x0 + sqrt(1 - alphaBar_t) n, t = 0..T-1. Everything is float64; see <see
/// cref="Published"/> for the float32 tables of published samplers.
/// </summary>
/// <remarks>
/// Ho et al., "Denoising Diffusion Probabilistic Models" (2020); Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models"
/// (2021).
/// </remarks>
public sealed class NoiseSchedule
{
    private readonly double[] _alphaBar;
    private readonly Lazy<PublishedSchedule> _published;

    /// <summary>A schedule from its betas (float64).</summary>
    /// <exception cref="ArgumentException">There are none, or one is outside [0,1].</exception>
    public NoiseSchedule(IReadOnlyList<double> betas)
    {
        if (betas.Count == 0)
            throw new ArgumentException("A noise schedule needs at least one beta.");
        foreach (double beta in betas)
            if (beta is not (>= 0 and <= 1))
                throw new ArgumentException($"A beta is {beta}. Betas lie between 0 and 1.");
        Betas = [.. betas];
        _alphaBar = new double[betas.Count];
        double product = 1;
        for (int t = 0; t < betas.Count; t++)
            _alphaBar[t] = product *= 1 - betas[t];
        _published = new Lazy<PublishedSchedule>(() => new PublishedSchedule(this));
    }

    /// <summary>T.</summary>
    public int Steps => _alphaBar.Length;

    /// <summary>beta_t.</summary>
    public IReadOnlyList<double> Betas { get; }

    /// <summary>alphaBar_t = prod_{k &lt;= t} (1 - beta_k).</summary>
    public IReadOnlyList<double> AlphaBar => _alphaBar;

    /// <summary>The same schedule with the float32 rounding of published code.</summary>
    public PublishedSchedule Published => _published.Value;

    /// <summary>sigma_t = sqrt((1 - alphaBar_t) / alphaBar_t): the noise level of x_t / sqrt(alphaBar_t).</summary>
    public double Sigma(int t) => Math.Sqrt((1 - _alphaBar[t]) / _alphaBar[t]);

    /// <summary>The noise level at a time between whole ones, clamped to 0..T-1.</summary>
    /// <param name="t">Time, whole or not.</param>
    /// <param name="logarithmic">Interpolates log sigma, which <see cref="TimeOf"/> inverts, or sigma.</param>
    public double SigmaAt(double t, bool logarithmic = true)
    {
        double clamped = Math.Clamp(t, 0, Steps - 1);
        int low = (int)clamped,
            high = Math.Min(low + 1, Steps - 1);
        double share = clamped - low;
        return logarithmic
            ? Math.Exp((1 - share) * Math.Log(Sigma(low)) + share * Math.Log(Sigma(high)))
            : (1 - share) * Sigma(low) + share * Sigma(high);
    }

    /// <summary>The time at which x_t / sqrt(alphaBar_t) has noise level <paramref name="sigma"/>, clamped to 0..T-1.</summary>
    /// <param name="sigma">Noise level on the [-1,1] scale.</param>
    /// <param name="mode">Interpolated in log sigma, or the nearest integer time.</param>
    public double TimeOf(double sigma, TimeMode mode = TimeMode.Interpolated)
    {
        if (mode == TimeMode.Nearest)
            return Nearest(sigma);
        if (mode == TimeMode.NearestLogarithm)
            return Enumerable.Range(0, Steps).MinBy(t => Math.Abs(Math.Log(Sigma(t) / sigma)));
        if (!(sigma > Sigma(0)))
            return 0;
        if (sigma >= Sigma(Steps - 1))
            return Steps - 1;
        (int low, int high) = (0, Steps - 1);
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (Sigma(middle) <= sigma)
                low = middle;
            else
                high = middle;
        }
        return low + Math.Log(sigma / Sigma(low)) / Math.Log(Sigma(high) / Sigma(low));
    }

    /// <summary>The integer time whose sigma is nearest; the first of equally near ones.</summary>
    public int Nearest(double sigma) => Enumerable.Range(0, Steps).MinBy(t => Math.Abs(Sigma(t) - sigma));

    /// <summary>Equally spaced betas.</summary>
    public static NoiseSchedule Linear(double start = 1e-4, double end = 0.02, int steps = 1000) => new(Spacing.Linear(start, end, steps));

    /// <summary>
    /// guided-diffusion's linear schedule of fewer or more than 1000 steps, whose betas are scaled so that it ends at the same noise.
    /// </summary>
    public static NoiseSchedule LinearOf(int steps) => Linear(1000.0 / steps * 1e-4, 1000.0 / steps * 0.02, steps);

    /// <summary>Stable Diffusion's schedule, which diffusers calls "scaled_linear": the squares of equally spaced roots of betas.</summary>
    public static NoiseSchedule ScaledLinear(double start = 0.00085, double end = 0.012, int steps = 1000) =>
        new([.. Spacing.Linear(Math.Sqrt(start), Math.Sqrt(end), steps).Select(root => root * root)]);

    /// <summary>alphaBar(u) = cos^2((u + 0.008) / 1.008 pi / 2), betas at most <paramref name="maxBeta"/>.</summary>
    public static NoiseSchedule Cosine(int steps, double s = 0.008, double maxBeta = 0.999)
    {
        double AlphaBarAt(double u) => Math.Pow(Math.Cos((u + s) / (1 + s) * Math.PI / 2), 2);
        return new([
            .. Enumerable.Range(0, steps).Select(i => Math.Min(1 - AlphaBarAt((i + 1.0) / steps) / AlphaBarAt((double)i / steps), maxBeta)),
        ]);
    }

    /// <summary>
    /// alphaBar(u) = (sigmoid(end) - sigmoid(u (end - start) + start)) / (sigmoid(end) - sigmoid(start)), betas at most <paramref
    /// name="maxBeta"/> (Jabri et al., "Scalable Adaptive Computation for Iterative Generation", 2022).
    /// </summary>
    public static NoiseSchedule Sigmoid(int steps, double start = -3, double end = 3, double maxBeta = 0.999)
    {
        static double Of(double x) => 1 / (1 + Math.Exp(-x));
        double AlphaBarAt(double u) => (Of(end) - Of(u * (end - start) + start)) / (Of(end) - Of(start));
        return new([
            .. Enumerable.Range(0, steps).Select(i => Math.Min(1 - AlphaBarAt((i + 1.0) / steps) / AlphaBarAt((double)i / steps), maxBeta)),
        ]);
    }
}

/// <summary>How a noise level becomes a time.</summary>
public enum TimeMode
{
    /// <summary>A fractional time, interpolated in log sigma.</summary>
    Interpolated,

    /// <summary>The integer time whose noise level is nearest, as published code does.</summary>
    Nearest,

    /// <summary>The integer time whose noise level is nearest in its logarithm, as k-diffusion's quantized denoisers do.</summary>
    NearestLogarithm,
}
