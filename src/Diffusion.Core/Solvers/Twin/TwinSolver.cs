using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// Twin, the project's own few-step form of RDMD: a clean picture and its noisy twin walk down geometric ladders, the network denoises
/// both, and the measurement corrects the weighted mean of the two by a proximal step.
/// </summary>
/// <remarks>
/// <para>
/// With x0 the operator's first guess and x = x0 + sigma_0 n, for each pair of levels (sigma_i, s_i): x_restored = D(x0, s_i); x_diff =
/// D(x, sigma_i); m their mean with the weights lr_i and rho_i; x0 = argmin ||y - A x||^2 + (lr_i + rho_i) ||x - m||^2; x = x0 +
/// sigma_{i+1} (sqrt(1 - zeta) z + sqrt(zeta) n), where z = (m - x) / sigma_i, or with <see cref="Mirror"/> false the usual (x - x0) /
/// sigma_i. rho_i = lambda tau sigma_y^2 / sigma_i^2 and lr_i = lambda (1 - tau) sigma_y^2 / s_i^2. The result is the last m, or the
/// nearest picture that explains a noisy measurement.
/// </para>
/// <para>
/// The two regularisers and tau are RDMD's (Wang et al., CVPR 2025, arXiv 2503.01288); ladders, proximal step, mirrored noise and turns are
/// <see cref="MirrorSolver"/>'s, which this is at tau 1 but for the end of noiseless measurements. RDMD's published arithmetic is <see
/// cref="RdmdSolver"/>'s. Evaluations that cannot change the result are left out, unless the run is traced.
/// </para>
/// </remarks>
[Solver(
    "twin",
    About = "a clean picture and its noisy twin, both denoised, the measurement corrects their mean",
    Source = "this project's; after RDMD (arXiv 2503.01288) and mirror",
    Presets = typeof(TwinPresets)
)]
[FormerSetting("sequence|skip_type", "geometric", "the published sequences are rdmd's, with --preset paper")]
[FormerSetting("data-step", "proximal", "the gradient step is rdmd's, with --preset paper")]
[FormerSetting("start", "guess", "the published start is rdmd's, with --preset paper")]
[FormerSetting("result", "mean", "the published results are rdmd's, with --preset paper")]
[FormerSetting("clip|clip_denoised", "true", "the network's estimates are always clipped")]
public sealed record TwinSolver : Solver
{
    /// <summary>Iterations, up to two network evaluations each.</summary>
    [Setting(Symbol = "iter_num", Min = 1, Max = 1000)]
    public int Iterations
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 4;

    /// <summary>First noise level of the noisy twin, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100)]
    public double SigmaStart
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 0.2;

    /// <summary>Last noise level of both, on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100)]
    public double SigmaEnd
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 0.06;

    /// <summary>First noise level that the network is told for the clean picture, on [-1,1].</summary>
    [Setting(Symbol = "modelSigma1", Min = 1e-6, Max = 100)]
    public double RestoreStart
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 2 * 49 / 255.0;

    /// <summary>Weight of both regularisers.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 0.2;

    /// <summary>Share of the noisy twin; 0 is the clean picture only, 1 the twin only.</summary>
    [Setting(Symbol = "tau", Min = 0, Max = 1)]
    public double Tau
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 0.5;

    /// <summary>Share of fresh noise in the noisy twin.</summary>
    [Setting(Symbol = "zeta", Min = 0, Max = 1)]
    public double Zeta
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    }

    /// <summary>Whether the noise estimate is put back with the opposite sign, so that errors that follow the noise cancel.</summary>
    [Setting]
    public bool Mirror { get; init; } = true;

    /// <summary>The measurement noise is taken to be at least this, on [-1,1], in the weights.</summary>
    [Setting(Symbol = "sigma_floor", Min = 0)]
    public double SigmaFloor
    {
        get;
        init => field = Setting.Check<TwinSolver>(value);
    } = 2 * 0.001;

    /// <summary>Whether evaluation k denoises the picture turned and flipped by mode k mod 8, as DPIR does.</summary>
    [Setting]
    public bool Turns { get; init; }

    /// <inheritdoc/>
    public override int Evaluations => Iterations * ((Tau < 1 ? 1 : 0) + (Tau > 0 ? 1 : 0));

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        Level[] levels = Levels(run);
        Tensor x0 = run.A.Guess(run.Y, run.Request);
        run.TraceOnce("x_up", x0);
        Tensor x = x0 + levels[0].Sigma * run.Draw(NoiseRole.Start);
        run.TraceOnce("x_T", x);
        for (int i = 0; i < Iterations; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            Level at = levels[i];
            Tensor restored = Tau < 1 || run.IsTraced ? Denoise(run, x0, at.RestoreSigma, 2 * i) : x0;
            Tensor diffused = Tau > 0 || run.IsTraced ? Denoise(run, x, at.Sigma, 2 * i + 1) : x0;
            Tensor mean = Mean(restored, diffused, at);
            run.Trace("restored", restored);
            run.Trace("xdiff", diffused);
            if (i == Iterations - 1)
            {
                run.Trace("x", x0);
                run.Advance(ref x, run.SigmaY > 0 ? DataStep.Explain(run, mean) : mean, at.Sigma);
                break;
            }
            Tensor corrected = DataStep.Proximal(run.A, run.Y, mean, at.RestoreWeight + at.Weight, run.Request);
            double next = levels[i + 1].Sigma;
            Tensor z = (Mirror ? mean - x : x - corrected) / at.Sigma;
            Tensor twin = corrected + Math.Sqrt(1 - Zeta) * next * z;
            if (Zeta > 0)
                twin = twin + Math.Sqrt(Zeta) * next * run.Draw(NoiseRole.Step);
            run.Trace("x0", corrected);
            run.Trace("x", twin);
            SolverRun.Replace(ref x0, corrected);
            run.Advance(ref x, twin, at.Sigma);
        }
        return x;
    }

    /// <inheritdoc/>
    protected override int Moves => Iterations;

    /// <summary>Levels and weights of one iteration.</summary>
    private readonly record struct Level(double Sigma, double Weight, double RestoreSigma, double RestoreWeight);

    private Level[] Levels(SolverRun run)
    {
        double pull = Lambda * Math.Pow(Math.Max(SigmaFloor, run.SigmaY), 2);
        double[] sigmas = NoiseLadders.Clamped(NoiseLadders.Geometric(SigmaStart, SigmaEnd, Iterations), run.NoiseRange),
            restore = NoiseLadders.Clamped(NoiseLadders.Geometric(RestoreStart, SigmaEnd, Iterations), run.NoiseRange);
        return [.. sigmas.Zip(restore, (s, r) => new Level(s, pull * Tau / (s * s), r, pull * (1 - Tau) / (r * r)))];
    }

    private Tensor Denoise(SolverRun run, Tensor x, double sigma, int evaluation) =>
        run.DenoiseTurned(x, sigma, Turns ? evaluation % 8 : 0).clamp_(-1, 1);

    // Weighted by the two pulls; where both vanish, by tau.
    private Tensor Mean(Tensor restored, Tensor diffused, Level at)
    {
        double weight = at.RestoreWeight + at.Weight,
            share = weight > 0 ? at.Weight / weight : Tau;
        return (1 - share) * restored + share * diffused;
    }
}
