using Diffusion.Models;
using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>The numbers of one RDMD iteration, in variance-exploding terms.</summary>
/// <param name="Sigma">Noise level of the stochastic iterate.</param>
/// <param name="Weight">rho: pull of the stochastic regulariser.</param>
/// <param name="RestoreSigma">Noise level of the deterministic regulariser.</param>
/// <param name="RestoreWeight">lr: pull of the deterministic regulariser.</param>
/// <param name="RestoreGain">What x0 is multiplied by before the deterministic regulariser sees it.</param>
/// <param name="Signal">sqrt(alphaBar_t): the published code's iterate is this times ours.</param>
internal readonly record struct RdmdLevel(
    double Sigma,
    double Weight,
    double RestoreSigma,
    double RestoreWeight,
    double RestoreGain = 1,
    double Signal = 1
);

/// <summary>RDMD's plans: the published tables, and a geometric ladder for few iterations.</summary>
internal static class RdmdLevels
{
    /// <summary>
    /// The published plan, with its float32 tables and nearest times. The deterministic regulariser gets x0 itself at a network that
    /// expects sqrt(alphaBar) x0 + noise: a gain of 1/sqrt(alphaBar).
    /// </summary>
    /// <param name="solver">The settings.</param>
    /// <param name="noise">Standard deviation of the measurement noise on [0,1].</param>
    /// <param name="factor">sf: factor of a reduction; 1 without one.</param>
    public static (RdmdLevel[] Levels, int[] Times, int[] RestoreTimes) Published(RdmdSolver solver, double noise, int factor)
    {
        PublishedSchedule tables = solver.Schedule.Published;
        int[] times =
        [
            .. TimeSequences
                .Skipping(solver.Sequence == RdmdSequence.Uniform ? "uniform" : "quad", solver.Iterations, tables.Steps)
                .Select(s => tables.Steps - 1 - s),
        ];
        float[] denoiser = TimeSequences.DenoiserLevels(255 * solver.RestoreStart / 2, Math.Max(factor, 255 * noise), solver.Iterations);
        int[] restoreTimes = [.. times.Select((_, i) => tables.Nearest(2 * denoiser[Math.Min(i, denoiser.Length - 1)]))];
        float[] weights = tables.SplittingWeights(solver.Lambda * solver.Tau, Math.Max(solver.SigmaFloor / 2, noise));
        double restoreWeight = solver.Lambda * (1 - solver.Tau) * noise * noise; // with the true noise, not the floored one
        RdmdLevel[] levels =
        [
            .. times.Zip(restoreTimes, (t, tr) =>
                new RdmdLevel(
                    tables.Sigmas[t],
                    weights[t],
                    tables.Sigmas[tr],
                    restoreWeight,
                    1.0 / tables.SqrtAlphaBar[tr],
                    tables.SqrtAlphaBar[t]
                )
            ),
        ];
        return (levels, times, restoreTimes);
    }

    /// <summary>
    /// Geometric ladders for both regularisers; each one's weight is lambda sigma_y^2 over its squared noise level, split by tau.
    /// </summary>
    public static RdmdLevel[] Geometric(RdmdSolver solver, double noise, (double Min, double Max) range)
    {
        double pull = solver.Lambda * Math.Pow(Math.Max(solver.SigmaFloor, noise), 2);
        double[] sigmas = NoiseLadders.Clamped(NoiseLadders.Geometric(solver.SigmaStart, solver.SigmaEnd, solver.Iterations), range);
        double[] restore = NoiseLadders.Clamped(NoiseLadders.Geometric(solver.RestoreStart, solver.SigmaEnd, solver.Iterations), range);
        return [.. sigmas.Zip(restore, (s, r) => new RdmdLevel(s, pull * solver.Tau / (s * s), r, pull * (1 - solver.Tau) / (r * r)))];
    }
}
