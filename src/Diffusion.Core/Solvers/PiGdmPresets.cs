namespace Diffusion.Solvers;

/// <summary>PiGDM's presets.</summary>
public sealed class PiGdmPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator: from its first guess towards the posterior's mean, damped by the measurement's noise.", null, request => new PiGdmSolver().FewStep(request)),
        new("paper", "The settings of the published example: 100 steps from pure noise, eta 1, noise ignored, known pixels pasted.", "RED-diff, algos/pgdm.py", request => Paper.Within(request.MaxEvaluations)),
    ];

    private static PiGdmSolver Paper => new() { Steps = 100, Eta = 1, Damped = false, HardReplacement = true, PublishedTables = true };
}
