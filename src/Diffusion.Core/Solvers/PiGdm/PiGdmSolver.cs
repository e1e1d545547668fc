using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// PiGDM: DDIM, guided through the network along the pseudo-inverse of the residual.
/// Song et al., "Pseudoinverse-Guided Diffusion Models for Inverse Problems", ICLR 2023; the published preset follows the code in
/// RED-diff's repository.
/// </summary>
/// <remarks>
/// From t to s: c1 = eta sqrt((1 - abar_t/abar_s)(1 - abar_s)/(1 - abar_t)), c2 = sqrt(1 - abar_s - c1^2); m = A^T (A A^T + e I)^-1 (y - A
/// x0); g = J^T m with J = d x0/d x;
/// x = sqrt(abar_s) x0 + c1 n + c2 eps + w sqrt(abar_s abar_t) g. The paper has e = sigma_y^2/r^2, r^2 = sigma_t^2/(1 + sigma_t^2)
/// (equation 8); the code has e = 0 whatever the noise.
/// </remarks>
[Solver(
    "pigdm",
    About = "DDIM guided through the network along the pseudo-inverse (PiGDM)",
    Source = "Song et al., ICLR 2023",
    Presets = typeof(PiGdmPresets)
)]
public sealed record PiGdmSolver : GuidedSolver
{
    /// <summary>Share of fresh noise, as in DDIM.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1)]
    public double Eta
    {
        get;
        init => field = Setting.Check<PiGdmSolver>(value);
    }

    /// <summary>Weight of the guidance.</summary>
    [Setting(Symbol = "grad_term_weight", Min = 0)]
    public double Weight
    {
        get;
        init => field = Setting.Check<PiGdmSolver>(value);
    } = 1;

    /// <summary>Whether the pseudo-inverse is damped by sigma_y^2/r^2, as in the paper; the published code is not.</summary>
    [Setting]
    public bool Damped { get; init; } = true;

    /// <summary>awd: whether eps is left as the network gave it, instead of being computed anew from the guided estimate.</summary>
    [Setting(Symbol = "awd")]
    public bool KeepEpsilon { get; init; } = true;

    /// <summary>
    /// Whether the guidance is weighed by 1/sqrt(abar_t), as Tweedie's formula for the posterior says, instead of the paper's
    /// sqrt(abar_t). With <see cref="Eta"/> 1 and eps anew, many steps then sample the posterior of white Gaussian pictures exactly.
    /// </summary>
    [Setting]
    public bool Tweedie { get; init; }

    /// <summary>Whether the guidance is weighed by sqrt(abar_t) alone.</summary>
    [Setting(Symbol = "mcg")]
    public bool Mcg { get; init; }

    /// <summary>Whether measured pixels of a mask are pasted into the estimate.</summary>
    [Setting(Symbol = "hard_replacement")]
    public bool HardReplacement { get; init; }

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Strided(total, Steps);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        int[] times = Ladder(run);
        bool paste = HardReplacement && run.A.Traits.Mask;
        Tensor? known = paste ? run.A.PseudoInverse(run.Y) : null,
            free = paste ? 1 - run.A.PseudoInverse(run.A.Apply(torch.ones_like(known!))) : null;
        Tensor x = Begin(run, times[0]);
        run.TraceOnce("x_T", x);
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i],
                next = i + 1 < times.Length ? times[i + 1] : -1;
            double a = run.AlphaBar(t),
                b = run.AlphaBar(next);
            double c1 = Eta * Math.Sqrt(Math.Max(0, (1 - a / b) * (1 - b) / (1 - a))),
                c2 = Math.Sqrt(Math.Max(0, 1 - b - c1 * c1));
            Differentiable estimate = run.Differentiate(x, t, (leaf, eps) => run.Clean(leaf, eps, t));
            (Tensor x0, Tensor epsilon) = (estimate.X0, estimate.Epsilon);
            run.Trace("x0_net", x0);
            // r^2 = 1 - abar
            Tensor m = run.A.PseudoInverse(run.Y - run.A.Apply(x0), Damped ? run.SigmaY * run.SigmaY / (1 - a) : 0, run.Request);
            run.Trace("mat", m);
            Tensor g = estimate.PullBack(m);
            run.Trace("grad", g);
            if (paste)
                (x0, g) = (x0 * free! + known!, g * free!);
            run.Trace("x0", x0);
            if (!KeepEpsilon)
                epsilon = (x - Math.Sqrt(a) * x0) / Math.Sqrt(1 - a);
            double weight =
                Weight
                * (Tweedie ? 1 / Math.Sqrt(a) : Math.Sqrt(a))
                * (Mcg ? 1 : Math.Sqrt(b) - (KeepEpsilon ? 0 : c2 * Math.Sqrt(a / (1 - a))));
            run.Trace("coeff", () => torch.tensor(new[] { (float)weight }));
            Tensor stepped = Math.Sqrt(b) * x0 + Temperature * c2 * epsilon + weight * g;
            if (c1 > 0)
                stepped = stepped + c1 * Draw(run, NoiseRole.Step);
            run.Trace("x", stepped);
            run.Advance(ref x, stepped, t);
        }
        return x;
    }

    /// <summary>As published, the walk begins at the pseudo-inverse of y with the noise of the first time.</summary>
    private Tensor Begin(VpRun run, int t)
    {
        if (SigmaStart is not null)
            return FirstIterate(run, t);
        double a = run.AlphaBar(t);
        return Math.Sqrt(a) * run.A.PseudoInverse(run.Y, Damped ? run.SigmaY * run.SigmaY : 0, run.Request)
            + Math.Sqrt(1 - a) * run.Draw(NoiseRole.Start);
    }
}
