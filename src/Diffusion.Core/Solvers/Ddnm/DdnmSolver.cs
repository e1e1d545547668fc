using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>How DDNM reckons with measurement noise.</summary>
public enum DdnmNoise
{
    /// <summary>
    /// The correction is damped, A^T (A A^T + e I)^-1 with e = lambda sigma_y^2 / sigma_t^2, and the step's noise is added in full: for any
    /// operator.
    /// </summary>
    Damped,

    /// <summary>
    /// DDNM+: every singular value has its own weight, and the measurement's noise counts as part of the step's. Needs a singular value
    /// decomposition in closed form.
    /// </summary>
    Spectral,

    /// <summary>One weight for the whole picture, as the published "simplified" program computes it.</summary>
    Simplified,
}

/// <summary>
/// DDNM and DDNM+: replaces what the measurement determines of the estimate, x0 - A^+ (A x0 - y), and leaves its null space to the prior;
/// repeats stretches of the walk (time travel).
/// Wang et al., "Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model", ICLR 2023, arXiv 2212.00490.
/// </summary>
/// <remarks>
/// From t to t', with a = sqrt(abar_t') and sigma = sqrt(1 - abar_t'): x0 = (x - sqrt(1 - abar_t) eps)/sqrt(abar_t); x0g = x0 - Lambda A^+
/// (A x0 - y) (paper: equations 13 and 17);
/// x = a x0g + sigma (eta n + sqrt(1 - eta^2) eps). With a noisy measurement DDNM+ lowers Lambda and the added noise so that the
/// measurement's noise and the added one together make up the step's (equation 19).
/// </remarks>
[Solver(
    "ddnm",
    About = "replaces what the measurement determines, leaves the null space to the prior (DDNM, DDNM+)",
    Source = "Wang et al., ICLR 2023, arXiv 2212.00490",
    Presets = typeof(DdnmPresets)
)]
public sealed record DdnmSolver : GuidedSolver
{
    /// <summary>Share of fresh noise.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1)]
    public double Eta
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    } = 0.85;

    /// <summary>How measurement noise is reckoned with; <see cref="DdnmNoise.Spectral"/> is the paper's DDNM+.</summary>
    [Setting]
    public DdnmNoise NoiseModel { get; init; }

    /// <summary>With noise model <see cref="DdnmNoise.Damped"/>: e = lambda sigma_y^2 / sigma^2.</summary>
    [Setting(Symbol = "lambda", Min = 0)]
    public double Lambda
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    } = 1;

    /// <summary>How many steps a time travel goes back.</summary>
    [Setting(Symbol = "travel_length", Min = 1, Max = 1000)]
    public int TravelLength
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    } = 1;

    /// <summary>How often each stretch is walked; 1: no time travel.</summary>
    [Setting(Symbol = "travel_repeat", Min = 1, Max = 100)]
    public int TravelRepeat
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    } = 1;

    /// <summary>What noise is put back after a step.</summary>
    [Setting]
    public InjectionKind Injection { get; init; }

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: share of fresh noise.</summary>
    [Setting(Min = 0, Max = 1)]
    public double InjectionEta
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    } = 0.1;

    /// <summary>With injection <see cref="InjectionKind.Cm4ir"/>: the network is told (1 + delta) sigma.</summary>
    [Setting(Min = -0.9, Max = 10)]
    public double InjectionDelta
    {
        get;
        init => field = Setting.Check<DdnmSolver>(value);
    }

    /// <inheritdoc/>
    public override int Evaluations => Walk.Zip(Walk.Skip(1)).Count(move => move.Second < move.First);

    /// <summary>
    /// The picture that stands for one of white noise, a fresh draw's or eps; null: itself. The published SVD code reads such pictures as
    /// coefficients of the operator's full basis, without transforming them: V c, with c the picture's values.
    /// </summary>
    public Func<Tensor, Tensor>? NoiseBasis { get; init; }

    /// <inheritdoc/>
    protected override int Moves => Walk.Length - 1;

    /// <summary>Positions on the ladder of times, 0 the cleanest; the network is evaluated on the way down.</summary>
    private int[] Walk => TimeSequences.TimeTravel(Count, TravelLength, TravelRepeat);

    /// <inheritdoc/>
    protected override int[] PaperTimes(int total) => TimeSequences.Multiples(total, Steps);

    /// <inheritdoc/>
    protected override Tensor Restore(VpRun run)
    {
        Spectrum? spectrum =
            run.SigmaY > 0 && NoiseModel == DdnmNoise.Spectral
                ? run.A.Spectrum
                    ?? throw new ArgumentException(
                        "DDNM+ needs the operator's singular value decomposition in closed form, which this one does not have. Set "
                            + "noise-model=damped."
                    )
                : null;
        NoiseInjection injection = Injection == InjectionKind.Cm4ir ? new(InjectionEta, InjectionDelta) : default;
        int[] ladder = [.. Ladder(run).Reverse()],
            times = [.. Walk.Select(at => at < 0 ? -1 : ladder[at])],
            walk = Walk;
        run.TraceOnce("times", torch.tensor(times.Select(t => (long)t).ToArray()));
        Tensor x = FirstIterate(run, times[0]),
            x0 = x;
        for (int move = 0; move + 1 < times.Length; move++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            (int t, int next) = (times[move], times[move + 1]);
            double a = Math.Sqrt(run.AlphaBar(next)),
                sigma = Math.Sqrt(1 - run.AlphaBar(next));
            Tensor stepped;
            if (walk[move + 1] > walk[move])
            {
                stepped = a * x0 + sigma * Draw(run, NoiseRole.Step);
            }
            else
            {
                (Tensor estimate, Tensor epsilon) = run.Estimate(x, t, injection.Delta);
                run.Trace("x0", estimate);
                stepped =
                    spectrum is not null && Injection == InjectionKind.Own ? Plus(run, spectrum, estimate, epsilon, a, sigma)
                    : NoiseModel == DdnmNoise.Simplified && Injection == InjectionKind.Own
                        ? Simplified(run, estimate, epsilon, run.AlphaBar(next))
                    : Step(run, injection, x, estimate, epsilon, t, next);
                Replace(ref x0, estimate, x);
            }
            run.Trace("x", stepped);
            run.Advance(ref x, stepped, t);
        }
        return x;
    }

    /// <summary>x0g = x0 - A^T (A A^T + e I)^-1 (A x0 - y), e = 0 without noise; then the paper's noise or CM4IR's.</summary>
    private Tensor Step(VpRun run, NoiseInjection injection, Tensor x, Tensor x0, Tensor epsilon, int t, int next)
    {
        Tensor guided = DataStep.Proximal(run.A, run.Y, x0, Lambda * Math.Pow(run.SigmaY / run.Sigma(t), 2), run.Request);
        run.Trace("x0_hat", guided);
        return Injection == InjectionKind.Cm4ir
            ? injection.Next(run, x, x0, guided, run.AlphaBar(t), run.AlphaBar(next))
            : Math.Sqrt(run.AlphaBar(next)) * guided + Mixed(run, epsilon, Math.Sqrt(1 - run.AlphaBar(next)));
    }

    /// <summary>sigma (eta n + sqrt(1 - eta^2) eps).</summary>
    private Tensor Mixed(VpRun run, Tensor epsilon, double sigma) =>
        sigma == 0
            ? torch.zeros_like(epsilon)
            : sigma * (Eta * Draw(run, NoiseRole.Step) + Temperature * Math.Sqrt(1 - Eta * Eta) * epsilon);

    /// <summary>
    /// DDNM+ (paper: equations 17 to 19 and appendix I): per singular value s, with b = a sigma_y / s the level of the measurement's noise
    /// in x.
    /// </summary>
    private Tensor Plus(VpRun run, Spectrum spectrum, Tensor x0, Tensor epsilon, double a, double sigma)
    {
        Tensor s = spectrum.Cut(),
            positive = s > 0,
            divisor = torch.where(positive, s, 1),
            b = a * run.SigmaY / divisor;
        Tensor louder = positive.logical_and(b > sigma); // the measurement's noise exceeds the step's
        Tensor lambda = torch.where(louder, s * (sigma * Math.Sqrt(1 - Eta * Eta) / (a * run.SigmaY)), 1);
        Tensor residual = torch.where(positive, spectrum.ToRange(x0) - spectrum.ToMeasurement(run.Y) / divisor, 0);
        Tensor guided = x0 - spectrum.FromRange(lambda * residual);
        run.Trace("x0_hat", guided);
        if (sigma == 0)
            return a * guided;
        Tensor noise = Draw(run, NoiseRole.Step);
        epsilon = Temperature * epsilon;
        if (NoiseBasis is { } basis)
            (noise, epsilon) = (basis(noise), basis(epsilon));
        Tensor null_ = sigma * (Eta * noise + Math.Sqrt(1 - Eta * Eta) * epsilon),
            n = spectrum.ToRange(noise),
            inNull = spectrum.ToRange(null_);
        Tensor inRange = torch.where(louder, sigma * Eta, (sigma * sigma - b * b).clamp_min(0).sqrt()) * n;
        return a * guided + null_ + spectrum.FromRange(torch.where(positive, inRange - inNull, 0));
    }

    /// <summary>
    /// The published simplified program. Its sigma is sqrt(1 - abar'^2), and gamma multiplies noise that is scaled already, where the paper
    /// has sqrt(1 - abar') and replaces it.
    /// </summary>
    private Tensor Simplified(VpRun run, Tensor x0, Tensor epsilon, double abar)
    {
        double sigma = Math.Sqrt(1 - abar * abar),
            b = abar * run.SigmaY;
        double lambda = sigma >= b ? 1 : sigma / b,
            gamma = sigma >= b ? Math.Sqrt(sigma * sigma - b * b) : 0;
        Tensor guided = x0 - lambda * run.A.PseudoInverse(run.A.Apply(x0) - run.Y, request: run.Request);
        run.Trace("x0_hat", guided);
        return Math.Sqrt(abar) * guided + gamma * Mixed(run, epsilon, Math.Sqrt(1 - abar));
    }

    /// <summary>Keeps an estimate beyond its step, for time travel.</summary>
    private static void Replace(ref Tensor kept, Tensor estimate, Tensor x)
    {
        if (!ReferenceEquals(kept, x))
            kept.Dispose();
        kept = estimate.MoveToOuterDisposeScope();
    }
}
