namespace Diffusion.Solvers;

/// <summary>RED-diff's presets.</summary>
/// <remarks>
/// The weight of <c>few-step</c> was fitted by hand with the constants of <see cref="GuidedPresets"/>, on the same crops and priors.
/// </remarks>
public sealed class RedDiffPresets : ISolverPresets
{
    /// <summary>Weight of the denoiser's term in units of the measurement's noise on [0,1], where the measurement's weight is 1.</summary>
    private const double DenoiserWeight = 1.5;

    /// <summary>Noise on [0,1] below which a measurement is treated as if it had this much.</summary>
    private const double LeastNoise = 0.001;

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
            DenoiserWeight = DenoiserWeight * Math.Max(request.Noise, LeastNoise),
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
