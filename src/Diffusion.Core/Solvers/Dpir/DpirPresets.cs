namespace Diffusion.Solvers;

/// <summary>DPIR's presets.</summary>
/// <remarks>
/// The constants of <c>few-step</c> were fitted by hand, for PSNR at 4, 8 and 16 evaluations, by the comparison <c>presets</c> of
/// tests/Benchmarks: enlargement by 4, <c>blur:sigma=2</c> and 80 % missing pixels, central 128x128 crops of photographs, noise 0.01 to
/// 0.05, a small diffusion prior. What they reach with the prior <c>photo</c> stands in the bench file <c>auto</c>, on crops of Set14's 2,
/// 5
/// and 10 and of three training photographs that were held out. Levels are on [-1,1], where the measurement's noise is twice that on [0,1].
/// </remarks>
public sealed class DpirPresets : ISolverPresets
{
    /// <summary>Noise on [0,1] below which a measurement is treated as if it had this much.</summary>
    private const double LeastNoise = 0.005;

    /// <summary>lambda: where pixels are measured, elsewhere.</summary>
    private const double PixelLambda = 0.03,
        Lambda = 0.5;

    /// <summary>First level of four iterations, on [-1,1], and the power of their number by which it grows.</summary>
    private const double StartOfFour = 0.15,
        StartPower = 0.75;

    /// <summary>First level in units of the last one: at least, and where a single iteration is both.</summary>
    private const double LeastStart = 1.5,
        SingleStart = 2;

    /// <summary>Last level in units of the measurement's noise; where pixels are measured, of none and what all of them add.</summary>
    private const double End = 0.75,
        PixelEnd = 0.4,
        PixelEndShare = 0.6;

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

    private static DpirSolver FewStep(PresetRequest request)
    {
        int n = request.Evaluations;
        double noise = 2 * Math.Max(request.Noise, LeastNoise),
            end = (request.MeasuresPixels ? PixelEnd + PixelEndShare * request.MeasuredShare : End) * noise;
        return new DpirSolver
        {
            Iterations = n,
            SigmaStart = n == 1 ? SingleStart * end : Math.Max(StartOfFour * Math.Pow(n / 4.0, StartPower), LeastStart * end),
            SigmaEnd = end,
            Lambda = request.MeasuresPixels ? PixelLambda : Lambda,
            Turns = request.Prior.AnyOrientation,
            Explains = true,
        };
    }

    private static DpirSolver Paper(PresetRequest request) =>
        new() { Iterations = request.MaxEvaluations ?? (request.Traits.Reduction > 1 ? 24 : 8), Start = SolverStart.Measurement };
}
