using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>What the presets of the guided samplers have in common.</summary>
/// <remarks>
/// The constants were fitted by hand, for PSNR at 4, 8 and 16 evaluations: on Gaussian priors, whose posterior means are known, and with a
/// small diffusion prior on crops of Set14, by the comparison <c>presets</c> of tests/Benchmarks (central 128x128 crops, noise 0.02). The
/// bench file <c>injection</c> measures what they reach with the priors <c>photo</c> and <c>photo-cm</c>. Levels are on [-1,1].
/// </remarks>
public static class GuidedPresets
{
    /// <summary>
    /// Last level in units of the measurement's noise on [0,1], which is half of that on [-1,1], and the least one, on [-1,1].
    /// </summary>
    private const double End = 1.25,
        LeastEnd = 0.02;

    /// <summary>First level of four steps, on [-1,1], the power of their number by which it grows, and the highest.</summary>
    private const double StartOfFour = 0.2,
        StartPower = 0.75,
        HighestStart = 0.5;

    /// <summary>First level in units of the last one, at least.</summary>
    private const double LeastStart = 1.5;

    /// <summary>Share of each level's noise that is carried.</summary>
    private const double Temperature = 0.3;

    /// <summary>The solver with as many steps as stay within a number of evaluations; unchanged where none is given.</summary>
    public static T Within<T>(this T solver, int? most)
        where T : GuidedSolver
    {
        if (most is not { } limit)
            return solver;
        for (int n = Math.Min(limit + 1, 1000); n > 1; n--)
            if (solver with { Steps = n } is { } candidate && candidate.Evaluations <= limit)
                return candidate;
        return solver with { Steps = 1 };
    }

    /// <summary>
    /// The project's own few steps: from the operator's first guess down to the measurement's noise, carrying a third of each level's
    /// noise; the fewer the steps, the lower they begin.
    /// </summary>
    /// <param name="solver">The solver with its own settings.</param>
    /// <param name="request">The problem.</param>
    /// <param name="lift">What the first level is multiplied by.</param>
    public static T FewStep<T>(this T solver, PresetRequest request, double lift = 1)
        where T : GuidedSolver
    {
        int n = request.Evaluations;
        double end = Math.Clamp(End * request.Noise, LeastEnd, 1),
            start = lift * Math.Min(HighestStart, StartOfFour * Math.Pow(n / 4.0, StartPower));
        return solver with
        {
            Steps = Math.Min(n, 1000),
            SigmaStart = Math.Max(start, LeastStart * end),
            SigmaEnd = end,
            Temperature = Temperature,
        };
    }

    /// <summary>The published task that an operator is nearest to.</summary>
    public static PublishedTask Task(this OperatorTraits traits) =>
        traits.Mask ? PublishedTask.Inpainting
        : traits.Reduction > 1 ? PublishedTask.SuperResolution
        : PublishedTask.Deblurring;
}

/// <summary>The tasks of the published experiments.</summary>
public enum PublishedTask
{
    /// <summary>Missing pixels.</summary>
    Inpainting,

    /// <summary>Enlargement.</summary>
    SuperResolution,

    /// <summary>Blurs, and everything else.</summary>
    Deblurring,
}
