using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>RDMD's presets: <c>paper</c>; the default one, <c>few-step</c>, is <see cref="TwinSolver"/>'s.</summary>
public sealed class RdmdPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "The project's own solver twin, which took this name's place for few steps.", null, TwinPresets.FewStep),
        new(
            "paper",
            "The published settings: 100 iterations, gradient step, float32 tables.",
            "RDMD, rdmd_sr.py and rdmd_deblur.py",
            Paper
        ),
    ];

    private static RdmdSolver Paper(PresetRequest request)
    {
        // The published programs enlarge or deblur; masks are taken for a kind of the former.
        bool enlarges = request.Traits.Reduction > 1 || request.Traits.Mask;
        RdmdSolver solver = new() { Zeta = enlarges ? 0 : 0.3, Result = enlarges ? RdmdResult.DataConsistent : RdmdResult.Diffused };
        return request.MaxEvaluations is { } most ? Within(solver, most) : solver;
    }

    // The largest number of iterations that stays within the evaluations. A single iteration would have no data step.
    private static RdmdSolver Within(RdmdSolver solver, int evaluations)
    {
        for (int n = Math.Min(evaluations + 1, solver.Schedule.Steps); n > 1; n--)
            if (solver with { Iterations = n } is { } candidate && candidate.Evaluations <= evaluations)
                return candidate;
        throw new ArgumentException(
            $"RDMD as published takes at least {(solver with { Iterations = 2 }).Evaluations} evaluations here, not {evaluations}: "
                + "give more, or use solver twin, which is made for few."
        );
    }
}
