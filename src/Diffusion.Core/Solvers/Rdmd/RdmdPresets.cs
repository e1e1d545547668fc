namespace Diffusion.Solvers;

/// <summary>RDMD's presets.</summary>
public sealed class RdmdPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "Proximal data step and geometric ladders for any operator at 2 to 8 iterations.", null, FewStep),
        new(
            "paper",
            "The published arithmetic: gradient step, float32 tables, 100 iterations.",
            "RDMD, rdmd_sr.py and rdmd_deblur.py",
            Paper
        ),
    ];

    // Tuned as CM4IR's (see tests/Benchmarks, verb "presets"). Noise levels on [-1,1].
    private static RdmdSolver FewStep(PresetRequest request)
    {
        RdmdSolver solver = Fit(
            new RdmdSolver
            {
                Mirror = true,
                Zeta = 0,
                Tau = request.MeasuresPixels ? 0.3 : 0.8,
                Turns = request.Prior.AnyOrientation,
            },
            request.MaxEvaluations ?? 8
        );
        double noise = 2 * Math.Max(request.Sigma, 0.005);
        int n = solver.Iterations;
        // Filling in is a task for the deterministic half: it starts near the truth, and noise would cover the known pixels.
        if (request.MeasuresPixels)
            return solver with
            {
                SigmaStart = request.Measured < 1 ? Math.Max(0.12, noise) : noise,
                SigmaEnd = (0.5 + 0.5 * request.Measured) * noise,
                RestoreStart = Math.Max(Math.Clamp(0.05 * n, 0.1, 0.4), noise),
                Lambda = 0.05,
            };
        double end = 1.3 * noise,
            start = n == 1 ? 2 * end : Math.Max(0.2, 1.5 * end);
        return solver with { SigmaStart = start, SigmaEnd = end, RestoreStart = start, Lambda = 0.35 / Math.Sqrt(Math.Min(n, 8)) };
    }

    private static RdmdSolver Paper(PresetRequest request)
    {
        bool enlarges = request.Traits.Downsample > 1 || request.Traits.Mask;
        RdmdSolver solver = new()
        {
            Iterations = 100,
            Sequence = RdmdSequence.Quadratic,
            Lambda = 20,
            Tau = 0.5,
            Zeta = enlarges ? 0 : 0.3,
            DataStep = RdmdDataStep.Gradient,
            Start = SolverStart.Measurement,
            Result = enlarges ? RdmdResult.DataConsistent : RdmdResult.Diffused,
        };
        return request.MaxEvaluations is { } most ? Fit(solver, most) : solver;
    }

    // The largest number of iterations that stays within the evaluations; a single evaluation is spent on the deterministic regulariser.
    private static RdmdSolver Fit(RdmdSolver solver, int evaluations)
    {
        for (int n = Math.Min(evaluations, 1000); n > 1; n--)
            if (solver with { Iterations = n } is { } candidate && candidate.Evaluations <= evaluations)
                return candidate;
        return solver with { Iterations = 1, Tau = evaluations == 1 ? 0 : solver.Tau, Result = RdmdResult.Mean };
    }
}
