namespace Diffusion.Solvers;

/// <summary>Twin's preset: how the ladders and the weights follow the operator, the noise and the number of iterations.</summary>
/// <remarks>
/// Every constant was fitted by hand, for PSNR at 4, 8 and 16 evaluations with the prior <c>photo</c>, on the pictures of the bench file
/// <c>auto</c>: central 128x128 crops of Set14's 2, 5 and 10 and of three training photographs that were held out. Levels are on [-1,1],
/// where the measurement's noise is twice that on [0,1].
/// </remarks>
public sealed class TwinPresets : ISolverPresets
{
    /// <summary>Noise on [0,1] below which a measurement is treated as if it had this much.</summary>
    private const double LeastNoise = 0.005;

    /// <summary>
    /// Share of the noisy twin. Filling in is a task for the clean picture: it starts near the truth, and noise would cover the known
    /// pixels.
    /// </summary>
    private const double Tau = 0.8,
        PixelTau = 0.3;

    /// <summary>
    /// lambda where pixels are measured; elsewhere this over the root of the number of iterations, which counts to eight.
    /// </summary>
    private const double PixelLambda = 0.05,
        Lambda = 0.35;

    /// <summary>First level of the twin, on [-1,1]: where pixels are missing, elsewhere.</summary>
    private const double PixelStart = 0.12,
        Start = 0.2;

    /// <summary>Last level in units of the measurement's noise.</summary>
    private const double End = 1.3;

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [new("few-step", "Fitted for any prior and operator at 2 to 8 iterations.", null, FewStep)];

    /// <summary>The settings for a problem.</summary>
    public static TwinSolver FewStep(PresetRequest request)
    {
        TwinSolver solver = Within(
            new TwinSolver { Tau = request.MeasuresPixels ? PixelTau : Tau, Turns = request.Prior.AnyOrientation },
            request.Evaluations
        );
        double noise = 2 * Math.Max(request.Noise, LeastNoise);
        int n = solver.Iterations;
        if (request.MeasuresPixels)
            return solver with
            {
                SigmaStart = request.MeasuredShare < 1 ? Math.Max(PixelStart, noise) : noise,
                SigmaEnd = (0.5 + 0.5 * request.MeasuredShare) * noise,
                RestoreStart = Math.Max(Math.Clamp(0.05 * n, 0.1, 0.4), noise),
                Lambda = PixelLambda,
            };
        double end = End * noise,
            start = n == 1 ? 2 * end : Math.Max(Start, 1.5 * end);
        return solver with { SigmaStart = start, SigmaEnd = end, RestoreStart = start, Lambda = Lambda / Math.Sqrt(Math.Min(n, 8)) };
    }

    // Two evaluations make an iteration; a single one is spent on the clean picture.
    private static TwinSolver Within(TwinSolver solver, int evaluations) =>
        solver with
        {
            Iterations = Math.Clamp(evaluations / 2, 1, 1000),
            Tau = evaluations == 1 ? 0 : solver.Tau,
        };
}
