using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>What the presets of the guided samplers have in common.</summary>
internal static class GuidedPresets
{
    /// <summary>The solver with as many steps as stay within a number of evaluations; unchanged where none is given.</summary>
    public static T Within<T>(this T solver, int? most) where T : GuidedSolver
    {
        if (most is not { } limit) return solver;
        for (int n = Math.Min(limit + 1, 1000); n > 1; n--)
            if (solver with { Steps = n } is { } candidate && candidate.Evaluations <= limit) return candidate;
        return solver with { Steps = 1 };
    }

    /// <summary>
    /// The project's own few steps: from the operator's first guess down to the measurement's noise, carrying no noise. Chosen on Gaussian priors, whose posterior means are known, and checked on photographs.
    /// </summary>
    public static T FewStep<T>(this T solver, PresetRequest request) where T : GuidedSolver
    {
        double end = Math.Clamp(2 * request.Sigma, 0.04, 1);
        return (solver with { SigmaStart = Math.Max(0.5, 2 * end), SigmaEnd = end, Temperature = 0 }).Within(request.MaxEvaluations);
    }

    /// <summary>The published task that an operator is nearest to.</summary>
    public static PublishedTask Task(this OperatorTraits traits)
        => traits.Mask ? PublishedTask.Inpainting : traits.Downsample > 1 ? PublishedTask.SuperResolution : PublishedTask.Deblurring;
}

/// <summary>The tasks of the published experiments.</summary>
internal enum PublishedTask
{
    Inpainting,
    SuperResolution,
    Deblurring,
}
