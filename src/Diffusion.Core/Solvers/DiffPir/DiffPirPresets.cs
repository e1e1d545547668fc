namespace Diffusion.Solvers;

/// <summary>DiffPIR's presets.</summary>
public sealed class DiffPirPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator: from its first guess towards the posterior's mean.", null, request =>
            new DiffPirSolver { Lambda = 4 }.FewStep(request)
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
