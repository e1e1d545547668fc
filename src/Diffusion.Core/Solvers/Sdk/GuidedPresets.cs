using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>What the presets of the guided samplers have in common.</summary>
public static class GuidedPresets
{
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
    /// Chosen on crops of Set14 at 4, 8 and 16 evaluations and on Gaussian priors, whose posterior means are known.
    /// </summary>
    public static T FewStep<T>(this T solver, PresetRequest request, double lift = 1)
        where T : GuidedSolver
    {
        int n = request.MaxEvaluations ?? 8;
        double end = Math.Clamp(1.25 * request.Noise, 0.02, 1),
            start = lift * Math.Min(0.5, 0.2 * Math.Pow(n / 4.0, 0.75));
        return solver with { Steps = Math.Min(n, 1000), SigmaStart = Math.Max(start, 1.5 * end), SigmaEnd = end, Temperature = 0.3 };
    }

    /// <summary>The published task that an operator is nearest to.</summary>
    public static PublishedTask Task(this OperatorTraits traits) =>
        traits.Mask ? PublishedTask.Inpainting
        : traits.Downsample > 1 ? PublishedTask.SuperResolution
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
