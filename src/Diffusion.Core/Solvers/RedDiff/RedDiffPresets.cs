namespace Diffusion.Solvers;

/// <summary>RED-diff's presets.</summary>
public sealed class RedDiffPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator: the loss is minimised exactly in every step, from the operator's first guess.", null, request =>
            FewStep(request)
        ),
        new("paper", "The published settings: 50 steps from A^+ y.", "RED-diff, algorithm configuration", request =>
            Paper.Within(request.MaxEvaluations)
        ),
    ];

    private static RedDiffSolver FewStep(PresetRequest request) =>
        new RedDiffSolver
        {
            Optimizer = RedDiffOptimizer.Proximal,
            WeightOverTime = RedDiffWeight.Const,
            DenoiserWeight = 1.5 * Math.Max(request.Noise, 0.001),
        }.FewStep(request);

    private static RedDiffSolver Paper =>
        new()
        {
            Steps = 50,
            StartFromPseudoInverse = true,
            OmitLastStep = true,
            PublishedTables = true,
        };
}
