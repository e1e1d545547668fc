using Diffusion.Settings;
using Diffusion.Solvers;

namespace SamplePlugin;

/// <summary>
/// Plug-and-play ISTA: a step down the gradient of ||y - A x||^2 / 2, then the denoiser in the place of a proximal map.
/// Kamilov, Mansour and Wohlberg, "A Plug-and-Play Priors Approach for Solving Nonlinear Imaging Inverse Problems", IEEE SPL 2017.
/// </summary>
/// <remarks>
/// A solver is one record: settings are its <c>init</c> properties, their sentences of help the first ones of the XML docs, and
/// <see cref="Restore"/> reads like the paper. <see cref="SolverRun"/> counts evaluations, draws noise, reports steps and cancels;
/// pictures are on [-1,1], and all of a run have one noise level.
/// </remarks>
[Solver(
    "pnp-ista",
    About = "gradient steps with the prior as proximal map",
    Source = "Kamilov et al., IEEE SPL 2017",
    Presets = typeof(PnpIstaPresets)
)]
public sealed record PnpIsta : Solver
{
    /// <summary>Iterations, one network evaluation each.</summary>
    [Setting(Symbol = "K", Min = 1, Max = 1000)]
    public int Iterations
    {
        get;
        init => field = Setting.Check<PnpIsta>(value);
    } = 8;

    /// <summary>Noise level of the denoiser on [-1,1].</summary>
    [Setting(Min = 1e-6, Max = 100)]
    public double Sigma
    {
        get;
        init => field = Setting.Check<PnpIsta>(value);
    } = 0.1;

    /// <summary>Length of a gradient step in units of 1 / ||A||^2.</summary>
    [Setting(Symbol = "gamma", Min = 1e-6, Max = 2)]
    public double Step
    {
        get;
        init => field = Setting.Check<PnpIsta>(value);
    } = 1;

    /// <inheritdoc/>
    public override int Evaluations => Iterations;

    /// <inheritdoc/>
    protected override Tensor Restore(SolverRun run)
    {
        double gamma = Step / run.A.NormSquared;
        Tensor x = run.A.Guess(run.Y, run.Request);
        for (int k = 0; k < Iterations; k++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            Tensor z = x - gamma * DataStep.Gradient(run.A, run.Y, x);
            run.Trace("z", z);
            run.Advance(ref x, run.Denoise(z, Sigma), Sigma);
        }
        return x;
    }
}

/// <summary>Its presets: what <c>-n</c> and <c>--preset</c> mean for it.</summary>
public sealed class PnpIstaPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [new("default", "As many iterations as evaluations.", null, request => new PnpIsta { Iterations = request.MaxEvaluations ?? 8 })];
}
