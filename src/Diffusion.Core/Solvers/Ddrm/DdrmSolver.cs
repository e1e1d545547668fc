using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// DDRM: samples in the singular basis of the operator, A = U S V^T, where every coefficient is measured with its own noise or not at all.
/// Kawar et al., "Denoising Diffusion Restoration Models", NeurIPS 2022, arXiv 2201.11793.
/// </summary>
/// <remarks>
/// With sigma_t = sqrt((1 - abar_t)/abar_t) and c = V^T x, u = U^T y, a coefficient of singular value s moves to the level sigma' of the
/// next time as follows (paper: equations 7 and 8):
/// it is taken from the measurement where that is surer than sigma' (s sigma' > sigma_y): eta_b u/s + (1 - eta_b) c + sqrt(sigma'^2 -
/// (eta_b sigma_y/s)^2) n;
/// it is drawn towards the measurement where that is less sure: c + sqrt(1 - eta_a^2) sigma' (u - s c)/sigma_y + eta_a sigma' n;
/// where nothing is measured it moves as in DDIM: c + sqrt(1 - eta_c^2) sigma' eps + eta_c sigma' n.
/// </remarks>
[Solver(
    "ddrm",
    About = "samples in the operator's singular basis; needs one in closed form (DDRM)",
    Source = "Kawar et al., NeurIPS 2022, arXiv 2201.11793",
    Presets = typeof(DdrmPresets)
)]
public sealed record DdrmSolver : GuidedSolver
{
    /// <summary>Fresh noise in coefficients measured less surely than the next level.</summary>
    [Setting(Symbol = "eta_A", Min = 0, Max = 1)]
    public double EtaA
    {
        get;
        init => field = Setting.Check<DdrmSolver>(value);
    } = 0.85;

    /// <summary>Weight of the measurement in coefficients measured more surely than the next level.</summary>
    [Setting(Symbol = "eta_B", Min = 0, Max = 1)]
    public double EtaB
    {
        get;
        init => field = Setting.Check<DdrmSolver>(value);
    } = 1;

    /// <summary>Fresh noise in coefficients that are not measured.</summary>
    [Setting(Symbol = "eta_C", Min = 0, Max = 1)]
    public double EtaC
    {
        get;
        init => field = Setting.Check<DdrmSolver>(value);
    } = 0.85;

    /// <summary>
    /// Whether a noiseless measurement is imposed in the last step too; the published code ends with the network's estimate.
    /// </summary>
    [Setting]
    public bool ExactEnd { get; init; } = true;

    /// <summary>What noise is put back after a step.</summary>
    [Setting]
    public InjectionKind Injection { get; init; }

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: share of fresh noise.</summary>
    [Setting(Min = 0, Max = 1)]
    public double InjectionEta
    {
        get;
        init => field = Setting.Check<DdrmSolver>(value);
    } = 0.1;

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: the network is told (1 + delta) sigma.</summary>
    [Setting(Min = -0.9, Max = 10)]
    public double InjectionDelta
    {
        get;
        init => field = Setting.Check<DdrmSolver>(value);
    }

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Strided(total, Steps);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        Spectrum spectrum = run.A.Spectrum
            ?? throw new ArgumentException(
                "DDRM needs the operator's singular value decomposition in closed form, which this one does not have. Use ddnm, "
                    + "diffpir or ddpg."
            );
        NoiseInjection injection = Injection == InjectionKind.Cm4ir ? new(InjectionEta, InjectionDelta) : default;
        Tensor s = spectrum.Cut(),
            divisor = torch.where(s > 0, s, 1),
            u = spectrum.ToMeasurement(run.Y),
            direct = u / divisor;
        bool all = s.shape[0] == run.A.Input.Count;
        double sigmaY = run.SigmaY;
        int[] times = Ladder(run);
        Tensor x = Start(run, spectrum, times[0], s, direct);
        run.TraceOnce("x_T", x);
        for (int i = 0; i < times.Length; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int t = times[i],
                next = i + 1 < times.Length ? times[i + 1] : -1;
            double level = run.Sigma(next);
            (Tensor x0, Tensor epsilon) = run.Estimate(x, t, injection.Delta);
            run.Trace("x0", x0);

            Tensor c = spectrum.ToRange(x0);
            Tensor sure = next < 0 && sigmaY == 0 && ExactEnd ? s > 0 : s * level > sigmaY;
            Tensor unsure = sure.logical_not().logical_and(s * level < sigmaY);
            run.Trace("counts", () => Counts(sure, unsure, run.A.Input.Count));
            Tensor mean = torch.where(sure, EtaB * direct + (1 - EtaB) * c, c);
            if (Injection == InjectionKind.Cm4ir)
            {
                if (sigmaY > 0)
                    mean = torch.where(unsure, c + level / sigmaY * (u - s * c), mean);
                Tensor guided = x0 + spectrum.FromRange(mean - c);
                run.Trace("x0_hat", guided);
                run.Advance(ref x, injection.Next(run, x, x0, guided, run.AlphaBar(t), run.AlphaBar(next)), t);
                continue;
            }
            if (sigmaY > 0)
                mean = torch.where(unsure, c + Math.Sqrt(1 - EtaA * EtaA) * level / sigmaY * (u - s * c), mean);

            // Published order of draws: missing, unsure, sure; each only where there is such a coefficient, and none in the last step.
            Tensor unmeasured = x0,
                free = sure.logical_or(unsure).logical_not();
            if (level > 0 && (!all || free.any().item<bool>()))
                unmeasured = x0 + level * (Temperature * Math.Sqrt(1 - EtaC * EtaC) * epsilon + EtaC * Draw(run, NoiseRole.Step));
            if (level * Temperature * EtaA > 0 && unsure.sum().item<long>() is > 0 and var count)
                mean = mean.index_add(1, unsure.nonzero().flatten(), run.DrawCoefficients(count), Temperature * EtaA * level);
            if (level * Temperature > 0 && sure.any().item<bool>())
            {
                Tensor spread = (level * level - (EtaB * sigmaY / divisor).square()).clamp_min(0).sqrt();
                mean = mean + torch.where(sure, Temperature * spread * run.DrawCoefficients(s.shape[0]), 0);
            }
            Tensor moved = spectrum.ToRange(unmeasured);
            Tensor picture = unmeasured + spectrum.FromRange(torch.where(free, moved, mean) - moved);
            run.Trace("spectral", picture);
            Tensor stepped = Math.Sqrt(run.AlphaBar(next)) * picture;
            run.Trace("x", stepped);
            run.Advance(ref x, stepped, t);
        }
        return x;
    }

    /// <summary>
    /// x_T (paper: equation 6): measured coefficients are spread around the measurement, the others around the first guess, or around 0
    /// where the walk begins in pure noise.
    /// </summary>
    private Tensor Start(VpRun run, Spectrum spectrum, int t, Tensor s, Tensor direct)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double level = run.Sigma(t);
        Tensor noise = Draw(run, NoiseRole.Start),
            x = level * noise;
        if (SigmaStart is not null)
            x = x + run.A.Guess(run.Y, run.Request);
        Tensor spread = (level * level - (run.SigmaY / torch.where(s > 0, s, 1)).square()).clamp_min(0).sqrt();
        Tensor c = spectrum.ToRange(x),
            measured = direct + spread * spectrum.ToRange(noise);
        x = x + spectrum.FromRange(torch.where(s * level > run.SigmaY, measured - c, 0));
        // published: the level itself, near enough in pure noise
        return (x / (SigmaStart is null ? level : Math.Sqrt(1 + level * level))).MoveToOuterDisposeScope();
    }

    private static Tensor Counts(Tensor sure, Tensor unsure, long pictureSize)
    {
        long measured = sure.sum().item<long>(),
            drawn = unsure.sum().item<long>();
        return torch.tensor(new[] { measured, drawn, pictureSize - measured - drawn });
    }
}
