namespace Diffusion.Solvers;

/// <summary>DiffPIR's presets.</summary>
public sealed class DiffPirPresets : ISolverPresets
{
    /// <summary>Weight of the prior in <c>few-step</c>, fitted by hand with the constants of <see cref="GuidedPresets"/>.</summary>
    private const double Lambda = 4;

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator: from its first guess towards the posterior's mean.", null, request =>
            new DiffPirSolver { Lambda = Lambda }.FewStep(request)
        ),
        new(
            "paper",
            "The published settings of the task: 100 steps (inpainting 20) from the measurement.",
            "DiffPIR, main_ddpir_sisr.py, main_ddpir_deblur.py, main_ddpir_inpainting.py",
            request => Paper(request.Traits.Task()).Within(request.MaxEvaluations)
        ),
    ];

    private static DiffPirSolver Paper(PublishedTask task)
    {
        (int steps, double lambda, double zeta) = task switch
        {
            PublishedTask.Inpainting => (20, 1, 1),
            PublishedTask.SuperResolution => (100, 6, 0.25), // lambda is swept from 2 to 12
            _ => (100, 7, 0.3),
        };
        return new DiffPirSolver
        {
            Steps = steps,
            Lambda = lambda,
            Zeta = zeta,
            Start = SolverStart.Measurement,
            Result = DiffPirResult.Renoised,
            PublishedTables = true,
        };
    }
}
