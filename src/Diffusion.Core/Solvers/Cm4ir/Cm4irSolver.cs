using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>Where CM4IR's deltas enter.</summary>
public enum DeltaInjection
{
    /// <summary>Type 0: the network is told (1 + delta) sigma, the boundary scalings are those of sigma.</summary>
    Time,

    /// <summary>Type 1: network and scalings see (1 + delta) sigma.</summary>
    TimeAndScalings,
}

/// <summary>The picture that CM4IR starts from.</summary>
public enum Cm4irStart
{
    /// <summary>As published: A^T (A A^T + e I)^-1 y; for masks its median fill.</summary>
    BackProjection,

    /// <summary>The operator's first guess.</summary>
    Guess,
}

/// <summary>How CM4IR's noise levels fall.</summary>
public enum Cm4irLadder
{
    /// <summary>sigma_i = sqrt(1 - alpha_i), alpha_0 = alphaBar(iN + 1), alpha_{i+1} = min(alpha_i (1 + gamma), alpha-max).</summary>
    Published,

    /// <summary>
    /// Equally spaced in the logarithm between <see cref="Cm4irSolver.SigmaStart"/> and <see cref="Cm4irSolver.SigmaEnd"/>.
    /// </summary>
    Geometric,
}

/// <summary>How CM4IR corrects the denoised picture.</summary>
public enum Cm4irGuidance
{
    /// <summary>x0 - A^T (A A^T + e I)^-1 (A x0 - y) with e = zeta sigma_y^2 in every step.</summary>
    BackProjection,

    /// <summary>
    /// argmin ||y - A x||^2 + rho_i ||x - x0||^2 with rho_i = lambda sigma_y^2 / sigma_i^2: guidance grows weaker as the prior grows surer.
    /// </summary>
    Proximal,
}

/// <summary>
/// CM4IR: a few steps of a consistency model (or any denoiser), each followed by a correction towards the measurement, with the next step's
/// noise mixed of fresh noise and
/// the <em>negative</em> of the noise estimate. Garber and Tirer, "Zero-Shot Image Restoration Using Few-Step Guidance of Consistency
/// Models (and Beyond)", CVPR 2025, arXiv 2412.20596.
/// </summary>
/// <remarks>
/// With x = x_init + sigma_0 n, for each level sigma_i:
/// x0 = D(x, sigma_i); z = (x0 - x) / sigma_i; x0 is corrected towards A x = y; x = x0 + eta sigma_{i+1} n + sqrt(1 - eta^2) sigma_{i+1} z.
/// A noisy measurement ends with the last x0, a noiseless one with its correction.
/// </remarks>
[Solver(
    "cm4ir",
    About = "Few steps of a consistency or diffusion model with guidance in each (CM4IR)",
    Source = "Garber, Tirer, CVPR 2025, arXiv 2412.20596",
    Presets = typeof(Cm4irPresets)
)]
public sealed record Cm4irSolver : Solver
{
    /// <summary>N: steps, one network evaluation each.</summary>
    [Setting(Symbol = "T_sampling", Min = 1, Max = 1000, About = "steps, one network evaluation each")]
    public int Steps
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 4;

    /// <summary>The picture it starts from, before noise is added.</summary>
    [Setting(About = "the picture it starts from, before noise is added")]
    public Cm4irStart Start { get; init; }

    /// <summary>How the noise levels fall.</summary>
    [Setting(About = "how the noise levels fall")]
    public Cm4irLadder Ladder { get; init; }

    /// <summary>iN: the published ladder starts at alphaBar(iN + 1).</summary>
    [Setting(Symbol = "iN", Min = -1, Max = 100_000, About = "published ladder: starts at alphaBar(iN + 1)")]
    public int StartIndex
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 250;

    /// <summary>gamma: growth of alpha from step to step in the published ladder.</summary>
    [Setting(Symbol = "gamma", Min = 0, About = "published ladder: growth of alpha per step")]
    public double Gamma
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.7;

    /// <summary>The ceiling of alpha in the published ladder.</summary>
    [Setting(Symbol = "alpha_max", Min = 0, Max = 1, About = "published ladder: ceiling of alpha")]
    public double AlphaMax
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.9999;

    /// <summary>First level of the geometric ladder, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100, About = "geometric ladder: first noise level on [-1,1]")]
    public double SigmaStart
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.3;

    /// <summary>Last level of the geometric ladder, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100, About = "geometric ladder: last noise level on [-1,1]")]
    public double SigmaEnd
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.06;

    /// <summary>eta: share of fresh noise in the noise that is injected.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1, About = "share of fresh noise; the rest is the negative noise estimate")]
    public double Eta
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.1;

    /// <summary>How the denoised picture is corrected.</summary>
    [Setting(About = "how the denoised picture is corrected towards the measurement")]
    public Cm4irGuidance Guidance { get; init; }

    /// <summary>zeta: the back-projection is damped by e = zeta sigma_y^2.</summary>
    [Setting(Symbol = "zeta", Min = 0, About = "back-projection: damping e = zeta sigma_y^2")]
    public double Zeta
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    }

    /// <summary>lambda: the proximal guidance weighs the prior by rho_i = lambda sigma_y^2 / sigma_i^2.</summary>
    [Setting(Symbol = "lambda", Min = 0, About = "proximal guidance: rho = lambda sigma_y^2 / sigma^2")]
    public double Lambda
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.25;

    /// <summary>delta_i: how much more noise the network is told in step i, relative; empty for none.</summary>
    [Setting(Symbol = "deltas", Min = -0.999, About = "how much more noise the network is told, per step; empty: none")]
    public IReadOnlyList<double> Deltas
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = [];

    /// <summary>Where the deltas enter.</summary>
    [Setting(Symbol = "deltas_injection_type", About = "where the deltas enter: the network's time, or the scalings as well")]
    public DeltaInjection DeltaInjection { get; init; }

    /// <summary>Whether step i denoises the picture turned and flipped by mode i mod 8, as DPIR does.</summary>
    [Setting(About = "turns and flips the picture by i mod 8 in step i, as DPIR does")]
    public bool Turns { get; init; }

    /// <summary>The smallest noise level, on [-1,1].</summary>
    [Setting(Symbol = "sigma_t_min", Min = 0, About = "smallest noise level on [-1,1]")]
    public double MinSigma
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 0.002;

    /// <summary>The largest noise level, on [-1,1].</summary>
    [Setting(Symbol = "sigma_t_max", Min = 0, About = "largest noise level on [-1,1]")]
    public double MaxSigma
    {
        get;
        init => field = SolverSetting.Check<Cm4irSolver>(value);
    } = 80;

    /// <summary>The schedule whose alphaBar the published ladder starts from.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <inheritdoc/>
    public override int Evaluations => Steps;

    /// <inheritdoc/>
    public override void Check()
    {
        if (Deltas.Count > 0 && Deltas.Count != Steps)
            throw new ArgumentException($"There are {Deltas.Count} deltas for {Steps} steps. Give one per step, or none.");
        if (Ladder == Cm4irLadder.Published && StartIndex + 1 >= Schedule.Steps)
            throw new ArgumentException($"start-index must be below {Schedule.Steps - 1}, not {StartIndex}.");
        if (MinSigma > MaxSigma)
            throw new ArgumentException("min-sigma must not be above max-sigma.");
    }

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        double[] sigmas = Levels(run);
        double e = Zeta * run.Sigma * run.Sigma;
        Tensor x = Begin(run, e);
        run.TraceOnce("x_init", x);
        x = x + sigmas[0] * run.Noise(NoiseRole.Start);
        run.TraceOnce("x_start", x);
        for (int i = 0; i < Steps; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            bool last = i == Steps - 1;
            double s = Clamp(sigmas[i]),
                told = (1 + (Deltas.Count > 0 ? Deltas[i] : 0)) * s;
            Tensor x0 = run.DenoiseTurned(x, DeltaInjection == DeltaInjection.Time ? s : told, Turns ? i % 8 : 0, told == s ? null : told)
                .clamp_(-1, 1);
            run.Trace("sigma", s);
            run.Trace("x0", x0);
            if (last && run.Sigma > 0)
            {
                run.Advance(ref x, x0, s);
                break;
            }
            Tensor z = (x0 - x) / s; // minus the usual noise estimate, on purpose
            Tensor bp = run.A.PseudoInverse(
                run.A.Apply(x0) - run.Y,
                Guidance == Cm4irGuidance.BackProjection ? e : Lambda * Math.Pow(run.Sigma / s, 2),
                run.Request
            );
            Tensor next = x0 - bp;
            run.Trace("z", z);
            run.Trace("bp", bp);
            run.Trace("xg", next);
            if (!last)
            {
                double s1 = Clamp(sigmas[i + 1]);
                if (Eta > 0)
                    next = next + Eta * s1 * run.Noise(NoiseRole.Step);
                next = next + Math.Sqrt(1 - Eta * Eta) * s1 * z;
                run.Trace("xnext", next);
            }
            run.Advance(ref x, next, s);
        }
        return x;
    }

    private double Clamp(double sigma) => Math.Clamp(sigma, (float)MinSigma, (float)MaxSigma);

    private Tensor Begin(SolverRun run, double e)
    {
        if (Start == Cm4irStart.Guess)
            return run.A.Guess(run.Y, run.Request);
        Tensor x = run.A.PseudoInverse(run.Y, e, run.Request);
        run.TraceOnce("Apy", x);
        if (!run.A.Traits.Mask)
            return x;
        using Tensor ones = torch.ones(run.A.Input.Batch(1), device: run.Y.device);
        return Fill.Median(x, run.A.PseudoInverse(run.A.Apply(ones), request: run.Request));
    }

    private double[] Levels(SolverRun run)
    {
        if (Ladder == Cm4irLadder.Geometric)
            return NoiseLadders.Clamped(NoiseLadders.Geometric(SigmaStart, SigmaEnd, Steps), run.NoiseRange);
        // The published tables are float32, and near alpha = 1 their rounding is part of the result.
        float[] alphas = new float[Steps];
        for (int i = 0; i < Steps; i++)
            alphas[i] =
                i == 0
                    ? Schedule.Published.AlphaBarAt(StartIndex + 1)
                    : Math.Clamp(alphas[i - 1] * (float)(1 + Gamma), 0f, (float)AlphaMax);
        if (run.IsTraced)
            run.TraceOnce("alphas", torch.tensor(alphas));
        return [.. alphas.Select(a => (double)MathF.Sqrt(1f - a))];
    }
}
