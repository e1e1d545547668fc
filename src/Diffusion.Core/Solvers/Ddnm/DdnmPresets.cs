namespace Diffusion.Solvers;

/// <summary>DDNM's presets.</summary>
public sealed class DdnmPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "For any operator: from its first guess towards the posterior's mean, with a damped pseudo-inverse.",
            null,
            request => new DdnmSolver().FewStep(request)
        ),
        new(
            "paper",
            "The published settings: 100 steps from pure noise, eta 0.85; DDNM+ for noisy measurements, which needs a singular "
                + "value decomposition in closed form.",
            "DDNM, configs/*.yml and evaluation.sh",
            request => Paper.Within(request.MaxEvaluations)
        ),
        new(
            "simplified",
            "The published simplified program for real photographs: one weight for the whole picture, any operator.",
            "DDNM, guided_diffusion/diffusion.py (simplified_ddnm_plus)",
            request => (Paper with { NoiseModel = DdnmNoise.Simplified }).Within(request.MaxEvaluations)
        ),
    ];

    private static DdnmSolver Paper =>
        new()
        {
            Steps = 100,
            PublishedTables = true,
            NoiseModel = DdnmNoise.Spectral,
        };
}
