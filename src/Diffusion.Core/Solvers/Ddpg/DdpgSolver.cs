using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>How DDPG's guidance shrinks on the way down.</summary>
public enum DdpgStepSize
{
    /// <summary>1 in every step (mode 0).</summary>
    Constant,

    /// <summary>(1 - abar_t')/(1 - abar_t) for both parts (mode 1).</summary>
    Falling,

    /// <summary>The same for the least-squares part only (mode 2).</summary>
    FallingLeastSquares,
}

/// <summary>
/// DDPG and IDPG: guidance that turns from back-projection, fast, to least squares, robust to noise, while the noise level falls.
/// Garber and Tirer, "Image Restoration by Denoising Diffusion Models with Iteratively Preconditioned Guidance", CVPR 2024, arXiv
/// 2312.16519.
/// </summary>
/// <remarks>
/// With delta = abar_t'^gamma (0 for noiseless measurements): bp = A^T (A A^T + e I)^-1 (A x0 - y), ls = A^T (A x0 - y), x0g = x0 - mu ((1
/// - delta) bp + delta c ls);
/// eps' = (x - sqrt(abar_t) x0g)/sqrt(1 - abar_t); DDPG: x = sqrt(abar_t') x0g + sqrt(1 - abar_t') (sqrt(zeta) n + sqrt(1 - zeta) w eps'),
/// w = delta, or 1 without noise;
/// IDPG: x = sqrt(abar_t') x0g. The result is the last x0 for noisy measurements, the last x for others.
/// </remarks>
[Solver(
    "ddpg",
    About = "guidance that turns from back-projection to least squares (DDPG, IDPG)",
    Source = "Garber, Tirer, CVPR 2024, arXiv 2312.16519",
    Presets = typeof(DdpgPresets)
)]
public sealed record DdpgSolver : GuidedSolver
{
    /// <summary>Whether noise is put back after a step (DDPG) or not (IDPG).</summary>
    [Setting(Symbol = "inject_noise")]
    public bool InjectNoise { get; init; } = true;

    /// <summary>Exponent of delta = abar^gamma: the larger, the longer back-projection rules.</summary>
    [Setting(Symbol = "gamma", Min = 0)]
    public double Gamma
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    } = 8;

    /// <summary>Share of fresh noise (in variance).</summary>
    [Setting(Symbol = "zeta", Min = 0, Max = 1)]
    public double Zeta
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    } = 0.5;

    /// <summary>Damping of the back-projection in units of sigma_y^2; negative: the floor + xi (255 sigma_y)^2.</summary>
    [Setting(Symbol = "eta_tilde")]
    public double EtaTilde
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    } = 0.7;

    /// <summary>Damping where <see cref="EtaTilde"/> is negative.</summary>
    [Setting(Symbol = "xi", Min = 0)]
    public double Xi
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    } = 1e-5;

    /// <summary>Least damping of the back-projection; 1e-4 as published, 0 imposes noiseless measurements exactly.</summary>
    [Setting(Min = 0)]
    public double DampingFloor
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    } = 1e-4;

    /// <summary>Weight of the least-squares part; auto (null): 1/||A||^2 where that is below 1.</summary>
    [Setting(Symbol = "scale_ls", Min = 0)]
    public double? ScaleLs
    {
        get;
        init => field = Setting.Check<DdpgSolver>(value);
    }

    /// <summary>How the guidance shrinks on the way down.</summary>
    [Setting(Symbol = "step_size_mode")]
    public DdpgStepSize StepSize { get; init; }

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Multiples(total, Steps);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        bool noisy = run.SigmaY > 0;
        double e =
            EtaTilde < 0 ? DampingFloor + Xi * Math.Pow(255 * run.SigmaY, 2) : Math.Max(DampingFloor, EtaTilde * run.SigmaY * run.SigmaY);
        double c = ScaleLs / run.Reach ?? Math.Min(1, 1 / run.A.NormSquared);
        int[] times = Ladder(run);
        Tensor x = FirstIterate(run, times[0]);
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i],
                next = i + 1 < times.Length ? times[i + 1] : -1;
            double a = run.AlphaBar(t),
                b = run.AlphaBar(next),
                shrink = (1 - b) / (1 - a);
            double delta = noisy ? Math.Pow(b, Gamma) : 0,
                w = noisy ? delta : 1;
            (double both, double ls1) = StepSize switch
            {
                DdpgStepSize.Falling => (shrink, 1),
                DdpgStepSize.FallingLeastSquares => (1, shrink),
                _ => (1.0, 1.0),
            };
            Tensor x0 = run.Estimate(x, t).X0;
            run.Trace("x0", x0);
            Tensor residual = run.A.Apply(x0) - run.Y;
            Tensor bp = run.A.PseudoInverse(residual, e, run.Request),
                ls = run.A.Adjoint(residual);
            run.Trace("bp", bp);
            run.Trace("ls", ls);
            Tensor guided = x0 - both * ((1 - delta) * bp + ls1 * delta * c * ls);
            run.Trace("x0_guided", guided);
            Tensor epsilon = (x - Math.Sqrt(a) * guided) / Math.Sqrt(1 - a);
            run.Trace("eps_hat", epsilon);
            Tensor stepped = Math.Sqrt(b) * guided;
            if (InjectNoise && b < 1)
            {
                Tensor noise = Temperature * Math.Sqrt(1 - Zeta) * w * epsilon;
                if (Zeta > 0)
                    noise = noise + Math.Sqrt(Zeta) * Draw(run, NoiseRole.Step);
                stepped = stepped + Math.Sqrt(1 - b) * noise;
            }
            run.Trace("x", stepped);
            run.Advance(ref x, noisy && next < 0 ? x0 : stepped, t);
        }
        return x;
    }
}
