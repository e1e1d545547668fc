using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>How RDMD's times are spaced.</summary>
public enum RdmdSequence
{
    /// <summary>The published "quad" sequence: most of them at low noise.</summary>
    Quadratic,

    /// <summary>The published "uniform" sequence; one iteration more than asked for where the number does not divide.</summary>
    Uniform,
}

/// <summary>What RDMD returns.</summary>
public enum RdmdResult
{
    /// <summary>The data-consistent picture of the last iteration but one (published super-resolution).</summary>
    DataConsistent,

    /// <summary>The last output of the stochastic regulariser (published deblurring).</summary>
    Diffused,
}

/// <summary>
/// RDMD as published: one diffusion model used twice in every iteration, as a deterministic denoiser of the picture itself and as a
/// stochastic one of its noisy twin, with a gradient step towards the measurement. Wang et al., "Reconciling Stochastic and Deterministic
/// Strategies for Zero-shot Image Restoration using Diffusion Model in Dual", CVPR 2025, arXiv 2503.01288.
/// </summary>
/// <remarks>
/// Written with variance-exploding iterates x = x0 + sigma n (the published iterate is sqrt(alphaBar) times it), so that any denoiser
/// serves:
/// x_restored = D(x0, s_i); x_diff = D(x, sigma_i); x0 = x0 - [A^T (A x0 - y) + lr (x0 - x_restored) + rho (x0 - x_diff)] / (1 + lr + rho),
/// which is exact for A^T A = I only; x = x0 + sigma_{i+1} (sqrt(1 - zeta) (x - x0)/sigma_i + sqrt(zeta) n).
/// Evaluations that cannot change the result are left out, unless the run is traced.
/// </remarks>
[Solver(
    "rdmd",
    About = "one model as deterministic and stochastic regulariser (RDMD)",
    Source = "Wang et al., CVPR 2025, arXiv 2503.01288",
    Presets = typeof(RdmdPresets)
)]
[FormerSetting("data-step", "gradient", "the proximal step is twin's")]
[FormerSetting("start", "measurement", "another start is twin's")]
[FormerSetting("mirror", "false", "mirrored noise is twin's")]
[FormerSetting("turns", "false", "turns are twin's")]
[FormerSetting("sigma-start")]
[FormerSetting("sigma-end")]
public sealed record RdmdSolver : Solver
{
    /// <summary>Iterations, up to two network evaluations each.</summary>
    [Setting(Symbol = "iter_num", Min = 1, Max = 1000)]
    public int Iterations
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    } = 100;

    /// <summary>How the times are spaced.</summary>
    [Setting(Symbol = "skip_type")]
    public RdmdSequence Sequence { get; init; }

    /// <summary>First noise level of the deterministic regulariser, on [-1,1].</summary>
    [Setting(Symbol = "modelSigma1", Min = 1e-6, Max = 100)]
    public double RestoreStart
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    } = 2 * 49 / 255.0;

    /// <summary>Weight of both regularisers.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    } = 20;

    /// <summary>Share of the stochastic regulariser; 0 is deterministic only, 1 stochastic only.</summary>
    [Setting(Symbol = "tau", Min = 0, Max = 1)]
    public double Tau
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    } = 0.5;

    /// <summary>Share of fresh noise in the stochastic iterate.</summary>
    [Setting(Symbol = "zeta", Min = 0, Max = 1)]
    public double Zeta
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    }

    /// <summary>What is returned.</summary>
    [Setting]
    public RdmdResult Result { get; init; }

    /// <summary>The measurement noise is taken to be at least this, on [-1,1], in the stochastic weight.</summary>
    [Setting(Symbol = "sigma_floor", Min = 0)]
    public double SigmaFloor
    {
        get;
        init => field = Setting.Check<RdmdSolver>(value);
    } = 2 * 0.001;

    /// <summary>Whether the network's estimates are clipped to [-1,1].</summary>
    [Setting(Symbol = "clip_denoised")]
    public bool Clip { get; init; } = true;

    /// <summary>The schedule of the sequences.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <inheritdoc/>
    public override int Evaluations => Enumerable.Range(0, Count).Sum(i => (NeedsRestored(i) ? 1 : 0) + (NeedsDiffused(i) ? 1 : 0));

    /// <summary>The times and weights of the iterations.</summary>
    /// <param name="sigmaY">Standard deviation of the measurement noise on [-1,1].</param>
    /// <param name="factor">sf: factor of a reduction; 1 without one.</param>
    public RdmdPlan Plan(double sigmaY, int factor) => RdmdPlan.Of(this, sigmaY, factor);

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        RdmdPlan plan = Plan(run.SigmaY, run.A.Traits.Reduction);
        Trace(run, plan);
        Tensor x0 = SolverStart.Measurement.Of(run.A, run.Y, run.Request);
        run.TraceOnce("x_up", x0);
        Tensor x = Begin(run, x0, plan.Iterations[0]);
        for (int i = 0; i < Count; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            RdmdIteration at = plan.Iterations[i];
            Tensor restored = NeedsRestored(i) || run.IsTraced ? Denoise(run, x0 * at.RestoreGain, at.RestoreSigma) : x0;
            Tensor diffused = NeedsDiffused(i) || run.IsTraced ? Denoise(run, x, at.Sigma) : x0;
            run.Trace("restored", restored);
            run.Trace("xdiff", diffused);
            if (i == Count - 1)
            {
                run.Trace("x", x0);
                run.Advance(ref x, Result == RdmdResult.Diffused ? diffused : x0.alias(), at.Sigma);
                break;
            }
            Tensor gradient = DataStep.Gradient(run.A, run.Y, x0);
            Tensor pull = gradient + at.RestoreWeight * (x0 - restored) + at.Weight * (x0 - diffused);
            Tensor corrected = x0 - pull / (run.Reach + (at.RestoreWeight + at.Weight));
            RdmdIteration next = plan.Iterations[i + 1];
            Tensor twin = corrected + Math.Sqrt(1 - Zeta) * next.Sigma * ((x - corrected) / at.Sigma);
            if (Zeta > 0)
                twin = twin + Math.Sqrt(Zeta) * next.Sigma * run.Draw(NoiseRole.Step);
            run.Trace("grad", gradient);
            run.Trace("x0", corrected);
            if (run.IsTraced)
                run.Trace("x", next.Signal * twin);
            SolverRun.Replace(ref x0, corrected);
            run.Advance(ref x, twin, at.Sigma);
        }
        return x;
    }

    /// <inheritdoc/>
    protected override int Moves => Count;

    private int Count => Sequence == RdmdSequence.Uniform && Schedule.Steps / Iterations > 1 ? Iterations + 1 : Iterations;

    private bool NeedsRestored(int i) => Tau < 1 && i < Count - 1;

    private bool NeedsDiffused(int i) => i < Count - 1 ? Tau > 0 : Result == RdmdResult.Diffused;

    private Tensor Denoise(SolverRun run, Tensor x, double sigma)
    {
        Tensor x0 = run.Denoise(x, sigma);
        return Clip ? x0.clamp_(-1, 1) : x0;
    }

    private Tensor Begin(SolverRun run, Tensor x0, RdmdIteration first)
    {
        Tensor noise = run.Draw(NoiseRole.Start),
            x = x0 + first.Sigma * noise;
        if (run.A.Traits is { Reduction: 1, Mask: false } && run.A.Output.IsImage && run.A.Output.Image == run.A.Input)
        {
            // Deblurring as published: y stands for a variance-preserving iterate at its own noise level, and only the missing noise is
            // added.
            PublishedSchedule tables = Schedule.Published;
            int t = tables.Nearest((float)run.SigmaY);
            double q = first.Signal / tables.SqrtAlphaBar[t],
                own = q * tables.SqrtOneMinusAlphaBar[t],
                full = first.Sigma * first.Signal;
            x = (q * x0 + Math.Sqrt(full * full - own * own) * noise) / first.Signal;
        }
        if (run.IsTraced)
            run.TraceOnce("x_T", first.Signal * x);
        return x;
    }

    private static void Trace(SolverRun run, RdmdPlan plan)
    {
        if (!run.IsTraced)
            return;
        run.TraceOnce("seq_t", torch.tensor([.. plan.Times], dtype: ScalarType.Int64));
        run.TraceOnce("t_restore", torch.tensor([.. plan.RestoreTimes], dtype: ScalarType.Int64));
    }
}
