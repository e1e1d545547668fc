namespace Diffusion.Solvers;

/// <summary>DPS's presets.</summary>
/// <remarks>
/// The constants of <c>few-step</c> were fitted by hand with those of <see cref="GuidedPresets"/>, on the same crops and priors.
/// </remarks>
public sealed class DpsPresets : ISolverPresets
{
    /// <summary>Length of a step in units of the one that lowers the squared residual most.</summary>
    private const double Scale = 0.7;

    /// <summary>First level in units of the other guided samplers'.</summary>
    private const double Lift = 0.6;

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "For any operator: from its first guess towards the posterior's mean, with steps as long as they help.",
            null,
            request => new DpsSolver { Scale = Scale }.FewStep(request, Lift) with { Temperature = 0 }
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
