namespace Diffusion.Solvers;

/// <summary>DDRM's presets.</summary>
public sealed class DdrmPresets : ISolverPresets
{
    /// <summary>
    /// Share of fresh noise in well-measured components in <c>few-step</c>, fitted by hand with the constants of <see
    /// cref="GuidedPresets"/>.
    /// </summary>
    private const double EtaA = 0.9;

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator with a spectrum: from its first guess towards the posterior's mean.", null, request =>
            new DdrmSolver { EtaA = EtaA }.FewStep(request)
        ),
        new("paper", "The published settings: 20 steps from pure noise, eta 0.85, eta_b 1.", "DDRM, runners/diffusion.py", request =>
            Paper.Within(request.MaxEvaluations)
        ),
    ];

    private static DdrmSolver Paper =>
        new()
        {
            Steps = 20,
            PublishedTables = true,
            ExactEnd = false,
        };
}
