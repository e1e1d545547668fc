namespace Diffusion.Solvers;

/// <summary>DPIR's presets.</summary>
public sealed class DpirPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "Tuned for any prior and operator at 4 to 16 evaluations.", null, FewStep),
        new("paper", "The published settings: 8 iterations for deblurring, 24 for super-resolution.", "DPIR, main_dpir_deblur.py and main_dpir_sisr.py", Paper),
    ];

    private static DpirSolver FewStep(PresetRequest request) => new()
    {
        Iterations = request.MaxEvaluations ?? 8,
        Turns = false,
    };

    private static DpirSolver Paper(PresetRequest request) => new()
    {
        Iterations = request.MaxEvaluations ?? (request.Traits.Downsample > 1 ? 24 : 8),
        Start = SolverStart.Measurement,
    };
}
