using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// DPIR: half-quadratic splitting with the prior as denoiser. Short and deterministic: the baseline that every other solver is measured
/// against.
/// Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", PAMI 2021, arXiv 2008.13751.
/// </summary>
/// <remarks>
/// For falling levels sigma_k: x = argmin ||y - A x||^2 + rho_k ||x - z||^2 with rho_k = lambda sigma_y^2 / sigma_k^2; z = D(x, sigma_k).
/// The result is the last z.
/// The published program works on [0,1]; both terms are quadratic, so that the same rho holds on [-1,1].
/// </remarks>
[Solver(
    "dpir",
    About = "half-quadratic splitting: deterministic, the honest baseline (DPIR)",
    Source = "Zhang et al., PAMI 2021, arXiv 2008.13751",
    Presets = typeof(DpirPresets)
)]
public sealed record DpirSolver : Solver
{
    /// <summary>Iterations, one network evaluation each.</summary>
    [Setting(Symbol = "iter_num", Min = 1, Max = 1000)]
    public int Iterations
    {
        get;
        init => field = Setting.Check<DpirSolver>(value);
    } = 8;

    /// <summary>First noise level of the denoiser on [-1,1].</summary>
    [Setting(Symbol = "modelSigma1", Min = 1e-6, Max = 100)]
    public double SigmaStart
    {
        get;
        init => field = Setting.Check<DpirSolver>(value);
    } = 2 * 49 / 255.0;

    /// <summary>
    /// Last noise level of the denoiser, on [-1,1]; auto (null): the measurement's, but at least 2/255 per factor of a reduction.
    /// </summary>
    [Setting(Symbol = "modelSigma2", Min = 1e-6, Max = 100)]
    public double? SigmaEnd
    {
        get;
        init => field = Setting.Check<DpirSolver>(value);
    }

    /// <summary>Weight of the prior: rho_k = lambda sigma_y^2 / sigma_k^2.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<DpirSolver>(value);
    } = 0.23;

    /// <summary>The measurement noise is taken to be at least this, on [-1,1], in rho.</summary>
    [Setting(Symbol = "sigma_floor", Min = 0)]
    public double SigmaFloor
    {
        get;
        init => field = Setting.Check<DpirSolver>(value);
    } = 2 * 0.001;

    /// <summary>
    /// Whether iteration k denoises the picture turned and flipped by mode k mod 8, which averages the network's preferences out.
    /// </summary>
    [Setting(Symbol = "x8")]
    public bool Turns { get; init; } = true;

    /// <summary>Whether the last z is moved to the nearest picture that explains a noisy measurement; the published one is not.</summary>
    [Setting]
    public bool Explains { get; init; }

    /// <summary>The picture it starts from.</summary>
    [Setting]
    public SolverStart Start { get; init; }

    /// <inheritdoc/>
    public override int Evaluations => Iterations;

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        double sigmaY = Math.Max(SigmaFloor, run.SigmaY);
        double[] sigmas = NoiseLadders.Clamped(NoiseLadders.Geometric(SigmaStart, LastLevel(run), Iterations), run.NoiseRange);
        Tensor z = Start.Of(run.A, run.Y, run.Request);
        run.TraceOnce("x_init", z);
        for (int k = 0; k < Iterations; k++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            double sigma = (float)sigmas[k],
                rho = Lambda * Math.Pow(sigmaY / sigma, 2);
            Tensor x = DataStep.Proximal(run.A, run.Y, z, rho, run.Request);
            run.Trace("sigma", sigma);
            run.Trace("rho", rho);
            run.Trace("x_data", x);
            int mode = Turns ? k % 8 : 0;
            Tensor turned = run.Denoise(Dihedral.Turn(x, mode), sigma);
            run.Trace("denoised_aug", turned);
            run.Advance(ref z, Dihedral.TurnBack(turned, mode), sigma);
        }
        return Explains && run.SigmaY > 0 ? DataStep.Explain(run, z) : z;
    }

    private double LastLevel(SolverRun run) =>
        SigmaEnd ?? Math.Max(run.SigmaY > 0 ? run.SigmaY : SigmaFloor, run.A.Traits.Reduction > 1 ? run.A.Traits.Reduction * 2 / 255.0 : 0);
}
