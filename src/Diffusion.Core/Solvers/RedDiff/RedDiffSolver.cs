using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>How RED-diff weighs the denoiser over time, as a function of r = sqrt((1 - abar_t)/abar_t).</summary>
public enum RedDiffWeight
{
    /// <summary>r.</summary>
    Linear,

    /// <summary>sqrt(r).</summary>
    Sqrt,

    /// <summary>r^2.</summary>
    Square,

    /// <summary>ln(1 + r).</summary>
    Log,

    /// <summary>min(r, 1).</summary>
    TruncLinear,

    /// <summary>r^(2/3).</summary>
    Power2over3,

    /// <summary>1.</summary>
    Const,
}

/// <summary>How RED-diff lowers its loss.</summary>
public enum RedDiffOptimizer
{
    /// <summary>One step of Adam, as published: small steps, many of them.</summary>
    Adam,

    /// <summary>
    /// The minimum, with the network's answer held fixed: since sigma (eps - n) = mu - D, the regulariser is the gradient of (w/sigma) ||mu
    /// - D||^2 / 2, and the loss in sums instead of means is lowest at
    /// argmin ||y - A mu||^2 + w/(v sigma) ||mu - D||^2.
    /// </summary>
    Proximal,
}

/// <summary>
/// RED-diff: optimises the picture itself, with the network's error at random noise as regulariser and no gradient through the network.
/// Mardani et al., "A Variational Perspective on Solving Inverse Problems with Diffusion Models", ICLR 2024, arXiv 2305.04391.
/// </summary>
/// <remarks>
/// mu starts at A^+ y. For falling t: x = sqrt(abar_t) mu + sqrt(1 - abar_t) n; loss = w_t mean((eps(x, t) - n) mu) + v mean((y - A
/// mu)^2)/2 with eps - n held fixed (paper: algorithm 1); one step of Adam on mu.
/// Means are per picture, so that a picture's result does not depend on its batch.
/// </remarks>
[Solver(
    "reddiff",
    About = "optimises the picture with the network's error as regulariser (RED-diff)",
    Source = "Mardani et al., ICLR 2024, arXiv 2305.04391",
    Presets = typeof(RedDiffPresets)
)]
public sealed record RedDiffSolver : GuidedSolver
{
    /// <summary>How the loss is lowered: a step of Adam as published, or its minimum with the network's answer held fixed.</summary>
    [Setting]
    public RedDiffOptimizer Optimizer { get; init; }

    /// <summary>Step of Adam.</summary>
    [Setting(Symbol = "lr", Min = 1e-6)]
    public double LearningRate
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 0.1;

    /// <summary>Decay of Adam's mean.</summary>
    [Setting(Symbol = "beta_1", Min = 0, Max = 1)]
    public double Beta1
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 0.9;

    /// <summary>Decay of Adam's variance.</summary>
    [Setting(Symbol = "beta_2", Min = 0, Max = 1)]
    public double Beta2
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 0.99;

    /// <summary>Adam's eps.</summary>
    [Setting(Min = 0)]
    public double AdamEpsilon
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 1e-8;

    /// <summary>Weight of the denoiser's term.</summary>
    [Setting(Symbol = "grad_term_weight", Min = 0)]
    public double DenoiserWeight
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 0.25;

    /// <summary>How the denoiser's weight depends on the noise level r.</summary>
    [Setting(Symbol = "denoise_term_weight")]
    public RedDiffWeight WeightOverTime { get; init; }

    /// <summary>Weight of the measurement's term.</summary>
    [Setting(Symbol = "obs_weight", Min = 0)]
    public double MeasurementWeight
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    } = 1;

    /// <summary>Standard deviation of the noise that is added to the picture before each step.</summary>
    [Setting(Symbol = "sigma_x0", Min = 0)]
    public double SigmaX0
    {
        get;
        init => field = Setting.Check<RedDiffSolver>(value);
    }

    /// <summary>Whether it starts from A^+ y as published, or from the operator's first guess.</summary>
    [Setting]
    public bool StartFromPseudoInverse { get; init; }

    /// <summary>Whether the result is the picture before the last step, as published.</summary>
    [Setting]
    public bool OmitLastStep { get; init; }

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Strided(total, Steps);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        int[] times = Ladder(run);
        double pixels = run.A.Input.Count,
            measured = run.A.Output.Count;
        Tensor mu = StartFromPseudoInverse ? run.A.PseudoInverse(run.Y, request: run.Request) : run.A.Guess(run.Y, run.Request),
            m = torch.zeros_like(mu),
            v = torch.zeros_like(mu),
            saved = mu.clone();
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i];
            double a = run.AlphaBar(t),
                w = DenoiserWeight * Weight(run.Sigma(t));
            Tensor x0 = SigmaX0 > 0 ? mu + SigmaX0 * run.Draw(NoiseRole.Step) : mu.alias(),
                noise = Draw(run, NoiseRole.Step);
            Tensor xt = Math.Sqrt(a) * x0 + Math.Sqrt(1 - a) * noise;
            run.Trace("xt", xt);
            Tensor epsilon = run.Predict(xt, t).Epsilon;
            if (Optimizer == RedDiffOptimizer.Proximal)
            {
                Tensor denoised = x0 - run.Sigma(t) * (epsilon - noise);
                bool end = i == times.Length - 1 && run.SigmaY > 0;
                run.Advance(
                    ref mu,
                    end ? denoised : DataStep.Proximal(run.A, run.Y, denoised, w / (MeasurementWeight * run.Sigma(t)), run.Request),
                    t
                );
                continue;
            }
            Tensor residual = run.A.Apply(x0) - run.Y;
            Tensor gradient = w / pixels * (epsilon - noise) + MeasurementWeight / measured * run.A.Adjoint(residual);
            run.Trace("et", epsilon);
            run.Trace("w", () => torch.tensor(new[] { (float)w }));
            run.Trace("loss_noise", () => ((epsilon - noise) * x0).mean().reshape(1));
            run.Trace("loss_obs", () => residual.square().mean().reshape(1) / 2);
            run.Trace("grad", gradient);

            m.mul_(Beta1).add_(gradient, 1 - Beta1);
            v.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
            Tensor scale = (v / (1 - Math.Pow(Beta2, i + 1))).sqrt() + AdamEpsilon;
            Tensor next = mu - LearningRate / (1 - Math.Pow(Beta1, i + 1)) * m / scale;
            run.Trace("mu", next);
            saved.copy_(x0);
            run.Advance(ref mu, next, t);
        }
        run.TraceOnce("mu", mu);
        return OmitLastStep ? saved : mu;
    }

    private double Weight(double r) =>
        WeightOverTime switch
        {
            RedDiffWeight.Sqrt => Math.Sqrt(r),
            RedDiffWeight.Square => r * r,
            RedDiffWeight.Log => Math.Log(r + 1),
            RedDiffWeight.TruncLinear => Math.Min(r, 1),
            RedDiffWeight.Power2over3 => Math.Pow(r, 2.0 / 3),
            RedDiffWeight.Const => 1,
            _ => r,
        };
}
