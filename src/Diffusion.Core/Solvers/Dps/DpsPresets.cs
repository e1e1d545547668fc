namespace Diffusion.Solvers;

/// <summary>DPS's presets.</summary>
public sealed class DpsPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "For any operator: from its first guess towards the posterior's mean, with steps as long as they help.",
            null,
            request => new DpsSolver { Scale = 0.7 }.FewStep(request, 0.6) with { Temperature = 0 }
        ),
        new(
            "paper",
            "The published settings: 1000 ancestral steps from pure noise, scale 0.3 (inpainting 0.5).",
            "DPS, configs/*.yaml",
            request => Paper(request.Traits.Task()).Within(request.MaxEvaluations)
        ),
    ];

    private static DpsSolver Paper(PublishedTask task) =>
        new()
        {
            Steps = 1000,
            Sampler = DpsSampler.Ddpm,
            Loss = DpsLoss.Norm,
            Scale = task == PublishedTask.Inpainting ? 0.5 : 0.3,
        };
}
