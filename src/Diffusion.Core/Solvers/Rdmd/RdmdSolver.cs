using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>How RDMD's noise levels fall.</summary>
public enum RdmdSequence
{
    /// <summary>
    /// Equally spaced in the logarithm between <see cref="RdmdSolver.SigmaStart"/> and <see cref="RdmdSolver.SigmaEnd"/>.
    /// </summary>
    Geometric,

    /// <summary>The published "quad" sequence of times: most of them at low noise.</summary>
    Quadratic,

    /// <summary>The published "uniform" sequence of times; one iteration more than asked for where the number does not divide.</summary>
    Uniform,
}

/// <summary>How RDMD corrects its picture.</summary>
public enum RdmdDataStep
{
    /// <summary>argmin ||y - A x||^2 + (lr + rho) ||x - z||^2, z the weighted mean of the two regularisers.</summary>
    Proximal,

    /// <summary>
    /// The published step x0 - [A^T (A x0 - y) + lr (x0 - x_restored) + rho (x0 - x_diff)] / (1 + lr + rho), exact only for A^T A = I.
    /// </summary>
    Gradient,
}

/// <summary>What RDMD returns.</summary>
public enum RdmdResult
{
    /// <summary>The weighted mean of the last iteration's two regularisers.</summary>
    Mean,

    /// <summary>The data-consistent picture of the last iteration but one (published super-resolution).</summary>
    DataConsistent,

    /// <summary>The last output of the stochastic regulariser (published deblurring).</summary>
    Diffused,
}

/// <summary>
/// RDMD: one diffusion model used twice in every iteration, as a deterministic denoiser of the picture itself and as a stochastic one of
/// its noisy twin.
/// Wang et al., "Reconciling Stochastic and Deterministic Strategies for Zero-shot Image Restoration using Diffusion Model in Dual", CVPR
/// 2025, arXiv 2503.01288.
/// </summary>
/// <remarks>
/// Written with variance-exploding iterates x = x0 + sigma n (the published iterate is sqrt(alphaBar) times it), so that any denoiser
/// serves:
/// x_restored = D(x0, s_i); x_diff = D(x, sigma_i); x0 moves towards both and the measurement; x = x0 + sigma_{i+1} (sqrt(1 - zeta) (x -
/// x0)/sigma_i + sqrt(zeta) n).
/// Evaluations that cannot change the result are left out, unless the run is traced.
/// </remarks>
[Solver(
    "rdmd",
    About = "one model as deterministic and stochastic regulariser (RDMD)",
    Source = "Wang et al., CVPR 2025, arXiv 2503.01288",
    Presets = typeof(RdmdPresets)
)]
public sealed record RdmdSolver : Solver
{
    /// <summary>Iterations, two network evaluations each.</summary>
    [Setting(Symbol = "iter_num", Min = 1, Max = 1000, About = "iterations, up to two network evaluations each")]
    public int Iterations
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 4;

    /// <summary>How the noise levels fall.</summary>
    [Setting(Symbol = "skip_type", About = "how the noise levels fall")]
    public RdmdSequence Sequence { get; init; }

    /// <summary>First level of the stochastic iterate in the geometric ladder, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100, About = "geometric ladder: first noise level of the stochastic iterate on [-1,1]")]
    public double SigmaStart
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 0.2;

    /// <summary>Last level of both regularisers in the geometric ladder, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100, About = "geometric ladder: last noise level on [-1,1]")]
    public double SigmaEnd
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 0.06;

    /// <summary>First level of the deterministic regulariser, on [-1,1].</summary>
    [Setting(Symbol = "modelSigma1", Min = 1e-6, Max = 100, About = "first noise level of the deterministic regulariser on [-1,1]")]
    public double RestoreStart
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 2 * 49 / 255.0;

    /// <summary>lambda: weight of both regularisers.</summary>
    [Setting(Symbol = "lambda", Min = 0, About = "weight of both regularisers")]
    public double Lambda
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 0.2;

    /// <summary>tau: share of the stochastic regulariser.</summary>
    [Setting(Symbol = "tau", Min = 0, Max = 1, About = "share of the stochastic regulariser; 0 is deterministic only, 1 stochastic only")]
    public double Tau
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 0.5;

    /// <summary>zeta: share of fresh noise.</summary>
    [Setting(Symbol = "zeta", Min = 0, Max = 1, About = "share of fresh noise in the stochastic iterate")]
    public double Zeta
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    }

    /// <summary>
    /// Whether the noise estimate enters the next iterate with the opposite sign, as in CM4IR: at few iterations errors that follow the
    /// noise then cancel instead of adding up.
    /// </summary>
    [Setting(About = "uses minus the noise estimate, as CM4IR does")]
    public bool Mirror { get; init; }

    /// <summary>How the picture is corrected.</summary>
    [Setting(About = "how the picture is corrected towards the measurement")]
    public RdmdDataStep DataStep { get; init; }

    /// <summary>The picture it starts from.</summary>
    [Setting(About = "the picture it starts from")]
    public SolverStart Start { get; init; }

    /// <summary>What is returned.</summary>
    [Setting(About = "what is returned")]
    public RdmdResult Result { get; init; }

    /// <summary>The measurement noise is taken to be at least this, on [-1,1], in the stochastic weight.</summary>
    [Setting(Symbol = "sigma_floor", Min = 0, About = "measurement noise is taken to be at least this, on [-1,1]")]
    public double SigmaFloor
    {
        get;
        init => field = SolverSetting.Check<RdmdSolver>(value);
    } = 2 * 0.001;

    /// <summary>Whether the network's estimates are clipped to [-1,1].</summary>
    [Setting(Symbol = "clip_denoised", About = "clips the network's estimates to [-1,1]")]
    public bool Clip { get; init; } = true;

    /// <summary>
    /// Whether evaluation k denoises the picture turned and flipped by mode k mod 8, as DPIR does: the two regularisers then see different
    /// turns.
    /// </summary>
    [Setting(About = "turns and flips the picture by k mod 8 in evaluation k, as DPIR does")]
    public bool Turns { get; init; }

    /// <summary>The schedule of the published sequences.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <inheritdoc/>
    public override int Evaluations => Enumerable.Range(0, Count).Sum(i => (NeedsRestored(i) ? 1 : 0) + (NeedsDiffused(i) ? 1 : 0));

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        RdmdLevel[] levels = Levels(run);
        (Tensor x0, Tensor x) = Begin(run, levels[0]);
        for (int i = 0; i < Count; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            RdmdLevel at = levels[i];
            Tensor restored = NeedsRestored(i) || run.IsTraced ? Denoise(run, x0 * at.RestoreGain, at.RestoreSigma, 2 * i) : x0;
            Tensor diffused = NeedsDiffused(i) || run.IsTraced ? Denoise(run, x, at.Sigma, 2 * i + 1) : x0;
            run.Trace("restored", restored);
            run.Trace("xdiff", diffused);
            if (i == Count - 1)
            {
                run.Trace("x", x0);
                run.Advance(
                    ref x,
                    Result switch
                    {
                        RdmdResult.DataConsistent => x0.alias(),
                        RdmdResult.Diffused => diffused,
                        _ => Mean(restored, diffused, at),
                    },
                    at.Sigma
                );
                break;
            }
            Tensor corrected = Correct(run, x0, restored, diffused, at);
            RdmdLevel next = levels[i + 1];
            Tensor eps = (Mirror ? Mean(restored, diffused, at) - x : x - corrected) / at.Sigma;
            Tensor twin = corrected + Math.Sqrt(1 - Zeta) * next.Sigma * eps;
            if (Zeta > 0)
                twin = twin + Math.Sqrt(Zeta) * next.Sigma * run.Noise(NoiseRole.Step);
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

    private bool NeedsRestored(int i) => Tau < 1 && (i < Count - 1 || Result == RdmdResult.Mean);

    private bool NeedsDiffused(int i) => i < Count - 1 ? Tau > 0 : Result == RdmdResult.Diffused || (Result == RdmdResult.Mean && Tau > 0);

    private Tensor Denoise(SolverRun run, Tensor x, double sigma, int evaluation)
    {
        Tensor x0 = run.DenoiseTurned(x, sigma, Turns ? evaluation % 8 : 0);
        return Clip ? x0.clamp_(-1, 1) : x0;
    }

    // Weighted by the two pulls; where both vanish, by tau.
    private Tensor Mean(Tensor restored, Tensor diffused, RdmdLevel at)
    {
        double weight = at.RestoreWeight + at.Weight,
            share = weight > 0 ? at.Weight / weight : Tau;
        return (1 - share) * restored + share * diffused;
    }

    private Tensor Correct(SolverRun run, Tensor x0, Tensor restored, Tensor diffused, RdmdLevel at)
    {
        double weight = at.RestoreWeight + at.Weight;
        if (DataStep == RdmdDataStep.Proximal)
            return Solvers.DataStep.Proximal(run.A, run.Y, Mean(restored, diffused, at), weight, run.Request);
        Tensor gradient = Solvers.DataStep.Gradient(run.A, run.Y, x0);
        run.Trace("grad", gradient);
        return x0 - (gradient + at.RestoreWeight * (x0 - restored) + at.Weight * (x0 - diffused)) / (1 + weight);
    }

    private RdmdLevel[] Levels(SolverRun run)
    {
        if (Sequence == RdmdSequence.Geometric)
            return RdmdLevels.Geometric(this, run.Sigma, run.NoiseRange);
        (RdmdLevel[] levels, int[] times, int[] restoreTimes) = RdmdLevels.Published(this, run.Sigma / 2, run.A.Traits.Downsample);
        if (run.IsTraced)
        {
            run.TraceOnce("seq_t", torch.tensor(times, dtype: ScalarType.Int64));
            run.TraceOnce("t_restore", torch.tensor(restoreTimes, dtype: ScalarType.Int64));
        }
        return levels;
    }

    private (Tensor X0, Tensor X) Begin(SolverRun run, RdmdLevel first)
    {
        Tensor x0 = Start.Of(run.A, run.Y, run.Request),
            noise = run.Noise(NoiseRole.Start);
        run.TraceOnce("x_up", x0);
        Tensor x = x0 + first.Sigma * noise;
        if (
            Start == SolverStart.Measurement
            && run.A.Traits.Downsample == 1
            && run.A.Output.IsImage
            && run.A.Output.Image == run.A.Input
            && !run.A.Traits.Mask
        )
        {
            // Deblurring as published: y stands for a variance-preserving iterate at its own noise level, and only the missing noise is
            // added.
            PublishedSchedule tables = Schedule.Published;
            int t = tables.Nearest((float)run.Sigma);
            double q = first.Signal / tables.SqrtAlphaBar[t],
                own = q * tables.SqrtOneMinusAlphaBar[t],
                full = first.Sigma * first.Signal;
            x = (q * x0 + Math.Sqrt(full * full - own * own) * noise) / first.Signal;
        }
        if (run.IsTraced)
            run.TraceOnce("x_T", first.Signal * x);
        return (x0, x);
    }
}
