using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>Where CM4IR's deltas enter.</summary>
public enum DeltaInjection
{
    /// <summary>Type 0: the network is told (1 + delta) sigma, the boundary scalings are those of sigma.</summary>
    Time,

    /// <summary>Type 1: network and scalings see (1 + delta) sigma.</summary>
    TimeAndScalings,
}

/// <summary>
/// CM4IR as published: a few steps of a consistency model, each followed by a back-projection, with the next step's noise mixed of fresh
/// noise and the <em>negative</em> of the noise estimate. Garber and Tirer, "Zero-Shot Image Restoration Using Few-Step Guidance of
/// Consistency Models (and Beyond)", CVPR 2025, arXiv 2412.20596.
/// </summary>
/// <remarks>
/// With A+ = A^T (A A^T + e I)^-1, e = zeta sigma_y^2, and x = A+ y + sigma_0 n (for masks the median fill of A+ y), for each level
/// sigma_i: x0 = D(x, sigma_i); z = (x0 - x) / sigma_i; x = x0 - A+ (A x0 - y) + eta sigma_{i+1} n + sqrt(1 - eta^2) sigma_{i+1} z.
/// A noisy measurement ends with the last x0, a noiseless one with its correction.
/// </remarks>
[Solver(
    "cm4ir",
    About = "few steps of a consistency model, back-projected in each (CM4IR)",
    Source = "Garber, Tirer, CVPR 2025, arXiv 2412.20596",
    Presets = typeof(Cm4irPresets)
)]
[FormerSetting("start", "back-projection", "another start is mirror's")]
[FormerSetting("ladder", "published", "the geometric ladder is mirror's")]
[FormerSetting("guidance", "back-projection", "the proximal step is mirror's")]
[FormerSetting("turns", "false", "turns are mirror's")]
[FormerSetting("sigma-start")]
[FormerSetting("sigma-end")]
[FormerSetting("lambda")]
public sealed record Cm4irSolver : Solver
{
    /// <summary>Steps, one network evaluation each.</summary>
    [Setting(Symbol = "T_sampling", Min = 1, Max = 1000)]
    public int Steps
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 4;

    /// <summary>Where the levels start: alpha_0 = alphaBar(iN + 1).</summary>
    [Setting(Symbol = "iN", Min = -1, Max = 100_000)]
    public int StartIndex
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 250;

    /// <summary>Growth of alpha from step to step: alpha_{i+1} = min(alpha_i (1 + gamma), alpha-max).</summary>
    [Setting(Symbol = "gamma", Min = 0)]
    public double Gamma
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 0.7;

    /// <summary>Ceiling of alpha.</summary>
    [Setting(Symbol = "alpha_max", Min = 0, Max = 1)]
    public double AlphaMax
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 0.9999;

    /// <summary>Share of fresh noise; the rest is the negative noise estimate.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1)]
    public double Eta
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 0.1;

    /// <summary>Damping of the back-projection: e = zeta sigma_y^2.</summary>
    [Setting(Symbol = "zeta", Min = 0)]
    public double Zeta
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    }

    /// <summary>How much more noise the network is told, relative, per step; empty: none.</summary>
    [Setting(Symbol = "deltas", Min = -0.999)]
    public IReadOnlyList<double> Deltas
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = [];

    /// <summary>Where the deltas enter: the network's time, or the scalings as well.</summary>
    [Setting(Symbol = "deltas_injection_type")]
    public DeltaInjection DeltaInjection { get; init; }

    /// <summary>Smallest noise level, on [-1,1].</summary>
    [Setting(Symbol = "sigma_t_min", Min = 0)]
    public double MinSigma
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 0.002;

    /// <summary>Largest noise level, on [-1,1].</summary>
    [Setting(Symbol = "sigma_t_max", Min = 0)]
    public double MaxSigma
    {
        get;
        init => field = Setting.Check<Cm4irSolver>(value);
    } = 80;

    /// <summary>The schedule whose alphaBar the levels start from.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <inheritdoc/>
    public override int Evaluations => Steps;

    /// <summary>alpha_i. The published tables are float32, and near alpha = 1 their rounding is part of the result.</summary>
    public float[] Alphas => TimeSequences.GrowingAlphas(Schedule.Published, StartIndex, Gamma, Steps, AlphaMax);

    /// <summary>sigma_i = sqrt(1 - alpha_i), between <see cref="MinSigma"/> and <see cref="MaxSigma"/>: the levels of the steps.</summary>
    public double[] Levels => [.. Alphas.Select(alpha => Math.Clamp(MathF.Sqrt(1f - alpha), (float)MinSigma, (float)MaxSigma))];

    /// <inheritdoc/>
    public override void Check()
    {
        if (Deltas.Count > 0 && Deltas.Count != Steps)
            throw new ArgumentException($"There are {Deltas.Count} deltas for {Steps} steps. Give one per step, or none.");
        if (StartIndex + 1 >= Schedule.Steps)
            throw new ArgumentException($"start-index must be below {Schedule.Steps - 1}, not {StartIndex}.");
        if (MinSigma > MaxSigma)
            throw new ArgumentException("min-sigma must not be above max-sigma.");
    }

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        if (run.IsTraced)
            run.TraceOnce("alphas", torch.tensor(Alphas));
        double[] sigmas = Levels;
        double e = Zeta * run.SigmaY * run.SigmaY;
        Tensor x = Begin(run, e);
        run.TraceOnce("x_init", x);
        // As published: the schedule's own noise, also where the first level that the network is told is clamped.
        x = x + (double)MathF.Sqrt(1f - Alphas[0]) * run.Draw(NoiseRole.Start);
        run.TraceOnce("x_start", x);
        for (int i = 0; i < Steps; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            bool last = i == Steps - 1;
            double s = sigmas[i],
                told = (1 + (Deltas.Count > 0 ? Deltas[i] : 0)) * s;
            Tensor x0 = run.Denoise(x, DeltaInjection == DeltaInjection.Time ? s : told, told == s ? null : told).clamp_(-1, 1);
            run.Trace("sigma", s);
            run.Trace("x0", x0);
            if (last && run.SigmaY > 0)
            {
                run.Advance(ref x, x0, s);
                break;
            }
            Tensor z = (x0 - x) / s; // minus the usual noise estimate, on purpose
            Tensor bp = run.A.PseudoInverse(run.A.Apply(x0) - run.Y, e, run.Request);
            Tensor next = x0 - bp;
            run.Trace("z", z);
            run.Trace("bp", bp);
            run.Trace("xg", next);
            if (!last)
            {
                double s1 = sigmas[i + 1];
                if (Eta > 0)
                    next = next + Eta * s1 * run.Draw(NoiseRole.Step);
                next = next + Math.Sqrt(1 - Eta * Eta) * s1 * z;
                run.Trace("xnext", next);
            }
            run.Advance(ref x, next, s);
        }
        return x;
    }

    private static Tensor Begin(SolverRun run, double e)
    {
        Tensor x = run.A.PseudoInverse(run.Y, e, run.Request);
        run.TraceOnce("Apy", x);
        if (!run.A.Traits.Mask)
            return x;
        using Tensor ones = torch.ones(run.A.Input.Batch(1), device: run.Y.device);
        return Fill.Median(x, run.A.PseudoInverse(run.A.Apply(ones), request: run.Request));
    }
}
