using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>How DPS walks from one time to the next.</summary>
public enum DpsSampler
{
    /// <summary>DDIM without fresh noise.</summary>
    Ddim,

    /// <summary>Ancestral sampling, with the variance that the network has learned, or the posterior's where it has learned none.</summary>
    Ddpm,
}

/// <summary>What DPS descends.</summary>
public enum DpsLoss
{
    /// <summary>
    /// ||y - A x0||^2 / 2 per picture, by the step that lowers it most, which few steps need; not in the last step where the measurement is
    /// noisy.
    /// </summary>
    Squared,

    /// <summary>||y - A x0||, not squared, over the whole batch: as published.</summary>
    Norm,
}

/// <summary>
/// DPS: samples from the prior and, after each step, descends the residual of the measurement through the network.
/// Chung et al., "Diffusion Posterior Sampling for General Noisy Inverse Problems", ICLR 2023, arXiv 2209.14687.
/// </summary>
/// <remarks>
/// x0 = (x - sqrt(1 - abar_t) eps(x, t))/sqrt(abar_t); x' = a step of the sampler; x = x' - scale grad_x ||y - A x0(x)|| (paper: algorithms
/// 1 and 2, with the step zeta_i = scale/||.||).
/// One evaluation costs a forward and a backward pass of the network.
/// </remarks>
[Solver(
    "dps",
    About = "descends the residual through the network while sampling (DPS)",
    Source = "Chung et al., ICLR 2023, arXiv 2209.14687",
    Presets = typeof(DpsPresets)
)]
public sealed record DpsSolver : GuidedSolver
{
    /// <summary>How it walks: <see cref="DpsSampler.Ddim"/> without fresh noise, or ancestral <see cref="DpsSampler.Ddpm"/>.</summary>
    [Setting]
    public DpsSampler Sampler { get; init; }

    /// <summary>What is descended: the squared residual per picture, or its norm over the batch as published.</summary>
    [Setting]
    public DpsLoss Loss { get; init; }

    /// <summary>Length of the guidance step; loss squared: in units of the best one.</summary>
    [Setting(Symbol = "scale", Min = 0)]
    public double Scale
    {
        get;
        init => field = Setting.Check<DpsSolver>(value);
    } = 1;

    /// <summary>Whether the estimate is clipped to [-1,1].</summary>
    [Setting(Symbol = "clip_denoised")]
    public bool Clip { get; init; } = true;

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Spaced(total, [Steps]);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        int[] times = Ladder(run);
        if (run.IsTraced)
            run.TraceOnce("time_map", torch.tensor(times.Reverse().ToArray(), dtype: ScalarType.Int64));
        Tensor x = FirstIterate(run, times[0]);
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i],
                next = i + 1 < times.Length ? times[i + 1] : -1;
            double a = run.AlphaBar(t);
            Differentiable estimate = run.Differentiate(x, t, (leaf, epsilon) =>
            {
                Tensor clean = Math.Sqrt(1 / a) * leaf - Math.Sqrt(1 / a - 1) * epsilon;
                return Clip ? clean.clamp(-1, 1) : clean;
            });
            run.Trace("x0", estimate.X0);
            Tensor prior = Sampler == DpsSampler.Ddim ? Ddim(run, x, estimate, t, next) : Ddpm(run, x, estimate, t, next);
            run.Trace("x_prior", prior);
            bool guided = next >= 0 || Loss == DpsLoss.Norm || run.SigmaY == 0;
            Tensor stepped = guided ? prior - Guidance(run, estimate) : prior;
            run.Trace("x", stepped);
            run.Advance(ref x, stepped, t);
        }
        return x;
    }

    /// <summary>
    /// scale times the gradient of the loss in x, J^T A^T (A x0 - y) / ||A x0 - y||; or the same direction with the length that lowers the
    /// squared residual most.
    /// </summary>
    private Tensor Guidance(VpRun run, Differentiable estimate)
    {
        Tensor residual = run.A.Apply(estimate.X0) - run.Y,
            towards = run.A.Adjoint(residual);
        if (Loss == DpsLoss.Squared)
        {
            Tensor direction = estimate.PullBack(towards),
                moved = run.A.Apply(direction);
            Tensor length = Dot(moved, residual) / Dot(moved, moved).clamp_min(1e-20);
            return Scale * length * direction;
        }
        Tensor norm = residual.norm();
        Tensor gradient = estimate.PullBack(towards / norm.clamp_min(1e-20));
        run.Trace("norm", norm.reshape(1));
        run.Trace("grad", gradient);
        return Scale * gradient;
    }

    /// <summary>Inner products per picture, [N,1,1,1].</summary>
    private static Tensor Dot(Tensor a, Tensor b) => (a * b).flatten(1).sum(1).reshape(-1, 1, 1, 1);

    private Tensor Ddim(VpRun run, Tensor x, Differentiable estimate, int t, int next)
    {
        double a = run.AlphaBar(t),
            b = run.AlphaBar(next);
        Tensor epsilon = (Math.Sqrt(1 / a) * x - estimate.X0) / Math.Sqrt(1 / a - 1); // anew from the clipped x0
        return StepRules.Ddim(estimate.X0, Temperature * epsilon, a, b);
    }

    /// <summary>Ancestral step of the respaced schedule, with the learned variance where the network has one.</summary>
    private Tensor Ddpm(VpRun run, Tensor x, Differentiable estimate, int t, int next)
    {
        double a = run.AlphaBar(t),
            b = run.AlphaBar(next);
        Posterior posterior = Posterior.Between(a, b);
        if (next < 0 || posterior.Variance <= 0)
            return StepRules.Ddpm(estimate.X0, x, a, b, null);
        Tensor noise = Draw(run, NoiseRole.Step);
        return estimate.Variance is { } v
            ? StepRules.Ddpm(estimate.X0, x, a, b, null) + (0.5 * posterior.LearnedLogVariance(v)).exp() * noise
            : StepRules.Ddpm(estimate.X0, x, a, b, noise);
    }
}
