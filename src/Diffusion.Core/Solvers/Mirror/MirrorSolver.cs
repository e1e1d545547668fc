using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// Mirror, the project's own few-step solver: from the operator's first guess down a geometric ladder of noise levels, a proximal data step
/// after each evaluation, and the noise estimate put back mirrored, with the opposite sign.
/// </summary>
/// <remarks>
/// <para>
/// With x = guess + sigma_0 n, for each level sigma_i: x0 = D(x, sigma_i); z = (x0 - x) / sigma_i; x0g = argmin ||y - A x||^2 + rho_i ||x -
/// x0||^2 with rho_i = lambda sigma_y^2 / sigma_i^2; x = x0g + sigma_{i+1} (eta n + sqrt(1 - eta^2) z). A noisy measurement ends with the
/// last x0, or the nearest picture that explains the measurement, a noiseless one with its x0g.
/// </para>
/// <para>
/// From CM4IR (Garber and Tirer, CVPR 2025, arXiv 2412.20596) it takes the sign of z and the deltas: what noise the network left in x0 is
/// subtracted from the next iterate, where the usual sign adds it once more. From DPIR (Zhang et al., PAMI 2021, arXiv 2008.13751) it takes
/// the ladder, the proximal step with its weight, which lets the measurement pull less as the prior grows surer, and the turns. CM4IR's own
/// ladder, start and back-projection, made for consistency models, are <see cref="Cm4irSolver"/>'s.
/// </para>
/// </remarks>
[Solver(
    "mirror",
    About = "few steps down a ladder of noise levels, a proximal data step in each, the noise estimate put back mirrored",
    Source = "this project's; after CM4IR (arXiv 2412.20596) and DPIR (arXiv 2008.13751)",
    Presets = typeof(MirrorPresets)
)]
[FormerSetting("start", "guess", "the published start is cm4ir's, with --preset paper")]
[FormerSetting("ladder", "geometric", "the published ladder is cm4ir's, with --preset paper")]
[FormerSetting("guidance", "proximal", "back-projection is cm4ir's, with --preset paper")]
[FormerSetting("delta-injection|deltas_injection_type", "time", "deltas of the scalings are cm4ir's, with --preset paper")]
[FormerSetting("min-sigma|sigma_t_min", "0.002", "levels keep to what the prior was trained for")]
[FormerSetting("max-sigma|sigma_t_max", "80", "levels keep to what the prior was trained for")]
[FormerSetting("start-index|iN")]
[FormerSetting("gamma")]
[FormerSetting("alpha-max|alpha_max")]
[FormerSetting("zeta")]
public sealed record MirrorSolver : Solver
{
    /// <summary>Steps, one network evaluation each.</summary>
    [Setting(Min = 1, Max = 1000)]
    public int Steps
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    } = 4;

    /// <summary>First noise level, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100)]
    public double SigmaStart
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    } = 0.3;

    /// <summary>Last noise level, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100)]
    public double SigmaEnd
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    } = 0.06;

    /// <summary>Weight of the prior: rho_i = lambda sigma_y^2 / sigma_i^2.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    } = 0.25;

    /// <summary>Share of fresh noise; the rest is the mirrored noise estimate.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1)]
    public double Eta
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    }

    /// <summary>How much more noise the network is told, relative, per step; empty: none.</summary>
    [Setting(Symbol = "deltas", Min = -0.999)]
    public IReadOnlyList<double> Deltas
    {
        get;
        init => field = Setting.Check<MirrorSolver>(value);
    } = [];

    /// <summary>Whether step i denoises the picture turned and flipped by mode i mod 8, as DPIR does.</summary>
    [Setting]
    public bool Turns { get; init; }

    /// <inheritdoc/>
    public override int Evaluations => Steps;

    /// <summary>The noise levels of the steps, on [-1,1], where the prior was trained for all of them.</summary>
    public double[] Levels => NoiseLadders.Geometric(SigmaStart, SigmaEnd, Steps);

    /// <inheritdoc/>
    public override void Check()
    {
        if (Deltas.Count > 0 && Deltas.Count != Steps)
            throw new ArgumentException($"There are {Deltas.Count} deltas for {Steps} steps. Give one per step, or none.");
    }

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        double[] sigmas = NoiseLadders.Clamped(Levels, run.NoiseRange);
        Tensor x = run.A.Guess(run.Y, run.Request);
        run.TraceOnce("x_init", x);
        x = x + sigmas[0] * run.Draw(NoiseRole.Start);
        run.TraceOnce("x_start", x);
        for (int i = 0; i < Steps; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            bool last = i == Steps - 1;
            double s = sigmas[i];
            double? told = Deltas.Count > 0 && Deltas[i] != 0 ? (1 + Deltas[i]) * s : null;
            Tensor x0 = run.DenoiseTurned(x, s, Turns ? i % 8 : 0, told).clamp_(-1, 1);
            run.Trace("sigma", s);
            run.Trace("x0", x0);
            if (last && run.SigmaY > 0)
            {
                run.Advance(ref x, DataStep.Explain(run, x0), s);
                break;
            }
            Tensor z = (x0 - x) / s; // minus the usual noise estimate: the mirror
            Tensor next = DataStep.Proximal(run.A, run.Y, x0, Lambda * Math.Pow(run.SigmaY / s, 2), run.Request);
            run.Trace("z", z);
            run.Trace("xg", next);
            if (!last)
            {
                if (Eta > 0)
                    next = next + Eta * sigmas[i + 1] * run.Draw(NoiseRole.Step);
                next = next + Math.Sqrt(1 - Eta * Eta) * sigmas[i + 1] * z;
                run.Trace("xnext", next);
            }
            run.Advance(ref x, next, s);
        }
        return x;
    }
}
