using Diffusion.Models;

namespace Diffusion.Solvers;

/// <summary>
/// Mirror's preset: how the ladder and the weight follow the operator, the noise, the prior and the number of evaluations.
/// </summary>
/// <remarks>
/// Every constant was fitted by hand, for PSNR at 4, 8 and 16 evaluations: with the prior <c>photo</c> on the pictures of the bench file
/// <c>auto</c> (central 128x128 crops of Set14's 2, 5 and 10 and of three training photographs that were held out) at its noises 0.005,
/// 0.02 and 0.08, those of consistency models with <c>photo-cm</c> on six pictures of Set14 at noise 0.02 (bench file <c>consistency</c>).
/// Levels are on [-1,1], where the measurement's noise is twice that on [0,1].
/// </remarks>
public sealed class MirrorPresets : ISolverPresets
{
    /// <summary>Noise on [0,1] below which a measurement is treated as if it had this much.</summary>
    private const double LeastNoise = 0.005;

    /// <summary>lambda where pixels are measured: nearly all of the pull is left to the last step, which removes their noise.</summary>
    private const double PixelLambda = 0.05;

    /// <summary>First level where pixels are missing, on [-1,1]: a fill-in is near the truth.</summary>
    private const double PixelStart = 0.1;

    /// <summary>
    /// First level where the coarse structure is mostly missing: on two photographs of 256 pixels a quarter of Hadamard coefficients gave
    /// 16.1 and 21.0 dB from here, 15.1 and 20.0 from half of it, half of them 27.2 and 25.6.
    /// </summary>
    private const double CoarseStart = 0.6;

    /// <summary>Fewer steps would be strides too long for that.</summary>
    private const int CoarseSteps = 16;

    /// <summary>
    /// Least lambda behind a kernel of faintness f: this times f^(1/4) times the squared stride between levels. A data step leaves noise
    /// where a kernel is faint, the more the smaller lambda is, and the next level has to cover it. Fitted to <c>blur:sigma=2</c> and
    /// <c>blur:kernel=disk,radius=3</c>; the whole theory, f^(1/2), overshoots behind disks.
    /// </summary>
    private const double FaintLambda = 0.16,
        FaintPower = 0.25;

    /// <summary>What a kind of prior asks for.</summary>
    /// <param name="Start">First level at four evaluations and more, on [-1,1].</param>
    /// <param name="EnlargingStart">The same where the operator reduces.</param>
    /// <param name="End">Last level in units of the measurement's noise.</param>
    /// <param name="Lambda">lambda times the root of the number of steps.</param>
    private readonly record struct Fit(double Start, double EnlargingStart, double End, double Lambda);

    private static readonly Fit PosteriorMean = new(0.3, 0.3, 1.2, 0.4);

    // A consistency model ends in a picture and not in a mean, so that it may start from more noise and end with more.
    private static readonly Fit Consistency = new(0.35, 0.6, 1.5, 0.5);

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "Fitted for denoisers, diffusion priors and consistency models of small noise at 4 to 16 evaluations, for any operator.",
            null,
            FewStep
        ),
    ];

    /// <summary>The settings for a problem.</summary>
    public static MirrorSolver FewStep(PresetRequest request)
    {
        int steps = request.Evaluations;
        double noise = 2 * Math.Max(request.Noise, LeastNoise);
        MirrorSolver solver = new() { Steps = steps, Turns = request.Prior.AnyOrientation };
        // The more pixels are measured, the more of their noise is left in the end.
        if (request.MeasuresPixels)
            return solver with
            {
                SigmaStart = request.MeasuredShare < 1 ? Math.Max(PixelStart, noise) : noise,
                SigmaEnd = (0.25 + 0.75 * request.MeasuredShare) * noise,
                Lambda = PixelLambda,
            };
        Fit fit = request.Prior.Kind == PriorKind.Consistency ? Consistency : PosteriorMean;
        // Fewer than four steps begin lower; more than eight begin higher and end lower.
        double many = Math.Max(1, steps / 8.0),
            end = fit.End * noise / Math.Pow(many, 0.75),
            lambda = fit.Lambda / Math.Sqrt(steps);
        if (steps == 1)
            return solver with { SigmaStart = 2 * end, SigmaEnd = end, Lambda = lambda };
        double start = request.Traits.CoarseMissing && steps > CoarseSteps ? CoarseStart
            : request.Traits.Reduction > 1 ? fit.EnlargingStart
            : fit.Start,
            first = Math.Max(start * Math.Min(1, steps / 4.0) * Math.Pow(many, 0.4), 1.5 * end),
            stride = Math.Pow(first / end, 1.0 / (steps - 1));
        return solver with
        {
            SigmaStart = first,
            SigmaEnd = end,
            Lambda = Math.Max(lambda, FaintLambda * Math.Pow(request.Traits.Faintness ?? 0, FaintPower) * stride * stride),
        };
    }
}
