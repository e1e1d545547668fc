namespace Diffusion.Solvers;

/// <summary>DPIR's presets.</summary>
public sealed class DpirPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "Tuned for any prior and operator at 4 to 16 evaluations.", null, FewStep),
        new(
            "paper",
            "The published settings: 8 iterations for deblurring, 24 for super-resolution.",
            "DPIR, main_dpir_deblur.py and main_dpir_sisr.py",
            Paper
        ),
    ];

    // Tuned as CM4IR's (see tests/Benchmarks, verb "presets"). Noise levels on [-1,1].
    private static DpirSolver FewStep(PresetRequest request)
    {
        int n = request.MaxEvaluations ?? 8;
        double noise = 2 * Math.Max(request.Noise, 0.005),
            end = (request.MeasuresPixels ? 0.4 + 0.6 * request.MeasuredShare : 0.75) * noise;
        return new DpirSolver
        {
            Iterations = n,
            SigmaStart = n == 1 ? 2 * end : Math.Max(0.15 * Math.Pow(n / 4.0, 0.75), 1.5 * end),
            SigmaEnd = end,
            Lambda = request.MeasuresPixels ? 0.03 : 0.5,
            Turns = request.Prior.AnyOrientation,
        };
    }

    private static DpirSolver Paper(PresetRequest request) =>
        new() { Iterations = request.MaxEvaluations ?? (request.Traits.Downsample > 1 ? 24 : 8), Start = SolverStart.Measurement };
}
