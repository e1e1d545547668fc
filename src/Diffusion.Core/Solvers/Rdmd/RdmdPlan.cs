using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>The numbers of one RDMD iteration, in variance-exploding terms.</summary>
/// <param name="Sigma">Noise level of the stochastic iterate.</param>
/// <param name="Weight">rho: pull of the stochastic regulariser.</param>
/// <param name="RestoreSigma">Noise level of the deterministic regulariser.</param>
/// <param name="RestoreWeight">lr: pull of the deterministic regulariser.</param>
/// <param name="RestoreGain">
/// 1/sqrt(alphaBar) of the deterministic regulariser: the published code gives x0 itself to a network that expects sqrt(alphaBar) x0 +
/// noise.
/// </param>
/// <param name="Signal">sqrt(alphaBar_t): the published code's iterate is this times ours.</param>
public readonly record struct RdmdIteration(
    double Sigma,
    double Weight,
    double RestoreSigma,
    double RestoreWeight,
    double RestoreGain,
    double Signal
);

/// <summary>RDMD's plan, with the float32 tables and nearest times of the published code.</summary>
/// <param name="Times">t_i of the stochastic regulariser.</param>
/// <param name="RestoreTimes">The times of the deterministic one.</param>
/// <param name="Iterations">The numbers of the iterations.</param>
public sealed record RdmdPlan(IReadOnlyList<int> Times, IReadOnlyList<int> RestoreTimes, IReadOnlyList<RdmdIteration> Iterations)
{
    internal static RdmdPlan Of(RdmdSolver solver, double sigmaY, int factor)
    {
        double noise = sigmaY / 2; // the published weights are on [0,1]
        PublishedSchedule tables = solver.Schedule.Published;
        string skip = solver.Sequence == RdmdSequence.Uniform ? "uniform" : "quad";
        int[] times = [.. TimeSequences.Skipping(skip, solver.Iterations, tables.Steps).Select(s => tables.Steps - 1 - s)];
        float[] denoiser = TimeSequences.DenoiserLevels(255 * solver.RestoreStart / 2, Math.Max(factor, 255 * noise), solver.Iterations);
        int[] restoreTimes = [.. times.Select((_, i) => tables.Nearest(2 * denoiser[Math.Min(i, denoiser.Length - 1)]))];
        float[] weights = tables.SplittingWeights(solver.Lambda * solver.Tau, Math.Max(solver.SigmaFloor / 2, noise));
        double restoreWeight = solver.Lambda * (1 - solver.Tau) * noise * noise; // with the true noise, not the floored one
        return new(
            times,
            restoreTimes,
            [
                .. times.Zip(restoreTimes, (t, tr) =>
                    new RdmdIteration(
                        tables.Sigmas[t],
                        weights[t],
                        tables.Sigmas[tr],
                        restoreWeight,
                        1.0 / tables.SqrtAlphaBar[tr],
                        tables.SqrtAlphaBar[t]
                    )
                ),
            ]
        );
    }
}
