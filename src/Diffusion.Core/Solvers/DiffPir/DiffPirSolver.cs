using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// DiffPIR: every estimate is drawn to the measurement by a proximal step, then noised to the next level along the direction that x really
/// came from.
/// Zhu et al., "Denoising Diffusion Models for Plug-and-Play Image Restoration", CVPR Workshops 2023, arXiv 2305.08995.
/// </summary>
/// <remarks>
/// With sigma_t = sqrt((1 - abar_t)/abar_t) and rho_t = lambda s^2 / sigma_t^2, s the noise on the [0,1] scale as in the published code
/// (paper: algorithm 1):
/// x0 = (x - sqrt(1 - abar_t) eps)/sqrt(abar_t); x0g = argmin ||y - A x||^2 + rho_t ||x - x0||^2; eps' = (x - sqrt(abar_t) x0g)/sqrt(1 -
/// abar_t);
/// x = sqrt(abar_t') x0g + sqrt(1 - abar_t') (sqrt(1 - zeta) eps' + sqrt(zeta) n).
/// </remarks>
[Solver(
    "diffpir",
    About = "proximal data steps inside the diffusion walk (DiffPIR)",
    Source = "Zhu et al., CVPRW 2023, arXiv 2305.08995",
    Presets = typeof(DiffPirPresets)
)]
public sealed record DiffPirSolver : GuidedSolver
{
    /// <summary>How the times are spaced, without <see cref="GuidedSolver.SigmaStart"/>.</summary>
    [Setting(Symbol = "skip_type")]
    public DiffPirSpacing Spacing { get; init; }

    /// <summary>Weight of the prior: rho = lambda s^2 / sigma_t^2, s on the [0,1] scale.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    } = 1;

    /// <summary>Share of fresh noise (in variance).</summary>
    [Setting(Symbol = "zeta", Min = 0, Max = 1)]
    public double Zeta
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    } = 0.3;

    /// <summary>How far the estimate moves to the proximal step's result; 1 is all the way.</summary>
    [Setting(Symbol = "guidance_scale", Min = 0, Max = 2)]
    public double GuidanceScale
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    } = 1;

    /// <summary>The measurement noise is taken to be at least this, on [-1,1], in rho.</summary>
    [Setting(Symbol = "sigma_floor", Min = 0)]
    public double SigmaFloor
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    } = 2 * 0.001;

    /// <summary>Whether the estimate is clipped to [-1,1].</summary>
    [Setting(Symbol = "clip_denoised")]
    public bool Clip { get; init; } = true;

    /// <summary>The picture it starts from; the published code takes the measurement itself.</summary>
    [Setting(Aliases = "from")]
    public SolverStart Start { get; init; }

    /// <summary>What the result is.</summary>
    [Setting]
    public DiffPirResult Result { get; init; }

    /// <summary>What noise is put back after a step.</summary>
    [Setting]
    public InjectionKind Injection { get; init; }

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: share of fresh noise.</summary>
    [Setting(Min = 0, Max = 1)]
    public double InjectionEta
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    } = 0.1;

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: the network is told (1 + delta) sigma.</summary>
    [Setting(Min = -0.9, Max = 10)]
    public double InjectionDelta
    {
        get;
        init => field = Setting.Check<DiffPirSolver>(value);
    }

    /// <inheritdoc/>
    public override int Evaluations => Result == DiffPirResult.Renoised ? base.Evaluations - 1 : base.Evaluations;

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) =>
        [.. TimeSequences.Skipping(Spacing == DiffPirSpacing.Quad ? "quad" : "uniform", Steps, total).Select(s => total - 1 - s).Reverse()];

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        NoiseInjection injection = Injection == InjectionKind.Cm4ir ? new(InjectionEta, InjectionDelta) : default;
        double s = Math.Max(SigmaFloor, run.SigmaY) / 2;
        int[] times = Ladder(run);
        if (run.IsTraced)
            run.TraceOnce("seq_t", torch.tensor(times, dtype: ScalarType.Int64));
        Tensor x = Begin(run, times[0]);
        run.TraceOnce("x_T", x);
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i];
            bool last = i == times.Length - 1;
            if (last && Result == DiffPirResult.Renoised && !run.IsTraced)
                break; // the published code evaluates the network once more and ignores it
            (Tensor x0, _) = run.Estimate(x, t, injection.Delta);
            if (Clip)
                x0 = x0.clamp(-1, 1);
            run.Trace("x0_net", x0);
            if (last && Result == DiffPirResult.Renoised)
            {
                run.Trace("x", x);
                break;
            }
            if (last && run.SigmaY > 0)
            {
                run.Advance(ref x, x0, t);
                break;
            }
            double rho = Lambda * Math.Pow(s / run.Sigma(t), 2);
            Tensor guided = x0 + GuidanceScale * (DataStep.Proximal(run.A, run.Y, x0, rho, run.Request) - x0);
            run.Trace("x0", guided);
            Tensor next =
                last ? guided
                : Injection == InjectionKind.Cm4ir ? injection.Next(run, x, x0, guided, run.AlphaBar(t), run.AlphaBar(times[i + 1]))
                : Renoise(run, x, guided, t, times[i + 1]);
            run.Trace("x", next);
            run.Advance(ref x, next, t);
        }
        return x;
    }

    /// <summary>
    /// sqrt(abar') x0g + sqrt(1 - abar') (sqrt(1 - zeta) eps' + sqrt(zeta) n), eps' = (x - sqrt(abar) x0g)/sqrt(1 - abar).
    /// </summary>
    private Tensor Renoise(VpRun run, Tensor x, Tensor guided, int t, int next)
    {
        double a = run.AlphaBar(t),
            b = run.AlphaBar(next);
        Tensor noise = Temperature * Math.Sqrt(1 - Zeta) * (x - Math.Sqrt(a) * guided) / Math.Sqrt(1 - a);
        if (Zeta > 0)
            noise = noise + Math.Sqrt(Zeta) * Draw(run, NoiseRole.Step);
        return Math.Sqrt(b) * guided + Math.Sqrt(1 - b) * noise;
    }

    private Tensor Begin(VpRun run, int t)
    {
        Tensor noise = Draw(run, NoiseRole.Start);
        double a = run.AlphaBar(t);
        bool sameSize = run.A.Output.IsImage && run.A.Output.Image == run.A.Input;
        if (Start == SolverStart.Guess || !(sameSize || run.A.Traits.Mask))
            return Math.Sqrt(a) * Start.Of(run.A, run.Y, run.Request) + Math.Sqrt(1 - a) * noise;
        // As published: y stands for a variance-preserving iterate at its own noise level, and only the missing noise is added. Missing
        // pixels are black.
        Tensor y = run.A.Traits.Mask
            ? Measured(run, run.Y) + Measured(run, run.A.Apply(torch.ones_like(noise))) - 1
            : Start.Of(run.A, run.Y, run.Request);
        int own = run.Schedule.Published.Nearest((float)run.SigmaY);
        double q = Math.Sqrt(a / run.AlphaBar(own));
        return q * y + Math.Sqrt(1 - a - q * q * (1 - run.AlphaBar(own))) * noise;
    }

    // The measured pixels of a mask; 0 elsewhere.
    private static Tensor Measured(VpRun run, Tensor y) => run.A.PseudoInverse(y, request: run.Request);
}

/// <summary>What DiffPIR returns.</summary>
public enum DiffPirResult
{
    /// <summary>The last estimate of the network; for noiseless measurements its correction.</summary>
    Estimate,

    /// <summary>The last iterate, with the noise of the last time still in it, as the published code does.</summary>
    Renoised,
}

/// <summary>How DiffPIR spaces its times.</summary>
public enum DiffPirSpacing
{
    /// <summary>Roots of equally spaced squares: most of them at low noise.</summary>
    Quad,

    /// <summary>Equally spaced, and the last time too: one more than asked for where the stride exceeds 1.</summary>
    Uniform,
}
