using Diffusion.Priors;

namespace Diffusion.Solvers;

/// <summary>The numbers of one RDMD iteration, in variance-exploding terms.</summary>
/// <param name="Sigma">Noise level of the stochastic iterate.</param>
/// <param name="Weight">rho: pull of the stochastic regulariser.</param>
/// <param name="RestoreSigma">Noise level of the deterministic regulariser.</param>
/// <param name="RestoreWeight">lr: pull of the deterministic regulariser.</param>
/// <param name="RestoreGain">What x0 is multiplied by before the deterministic regulariser sees it.</param>
/// <param name="Signal">sqrt(alphaBar_t): the published code's iterate is this times ours.</param>
internal readonly record struct RdmdLevel(double Sigma, double Weight, double RestoreSigma, double RestoreWeight, double RestoreGain = 1, double Signal = 1);

/// <summary>RDMD's plans: the published tables, and a geometric ladder for few iterations.</summary>
internal static class RdmdLevels
{
    /// <summary>The published plan, with its float32 tables and nearest times. The deterministic regulariser gets x0 itself at a network that expects sqrt(alphaBar) x0 + noise: a gain of 1/sqrt(alphaBar).</summary>
    public static (RdmdLevel[] Levels, int[] Times, int[] RestoreTimes) Published(RdmdSolver solver, double sigmaUnit, int factor)
    {
        PublishedTables tables = new(solver.Schedule);
        double floored = Math.Max(solver.SigmaFloor / 2, sigmaUnit);
        int[] times = solver.Sequence == RdmdSequence.Quadratic ? Quadratic(solver.Iterations, tables.Steps) : Uniform(solver.Iterations, tables.Steps);
        double last = Math.Max(factor, 255 * sigmaUnit) / 255;
        double[] restore = NoiseLadders.Geometric(solver.RestoreStart / 2, last, solver.Iterations);
        int[] restoreTimes = [.. times.Select((_, i) => tables.Nearest(2 * (float)restore[Math.Min(i, restore.Length - 1)]))];
        double restoreWeight = solver.Lambda * (1 - solver.Tau) * sigmaUnit * sigmaUnit;    // with the true noise, not the floored one
        RdmdLevel[] levels = [.. times.Zip(restoreTimes, (t, tr) => new RdmdLevel(
            tables.Sigma[t], solver.Lambda * solver.Tau * floored * floored / ((double)tables.Sigma[t] * tables.Sigma[t]),
            tables.Sigma[tr], restoreWeight, 1.0 / tables.Signal[tr], tables.Signal[t]))];
        return (levels, times, restoreTimes);
    }

    // floor(sqrt(linspace(0, T^2, n))), the last one minus 1, counted down from T - 1: most steps at low noise.
    private static int[] Quadratic(int n, int steps)
    {
        int[] up = [.. Enumerable.Range(0, n).Select(i => (int)Math.Sqrt(n == 1 ? 0 : (double)steps * steps / (n - 1) * i))];
        up[^1] = Math.Max(0, (n == 1 ? 0 : steps) - 1);
        return [.. up.Select(s => steps - 1 - s)];
    }

    // i (T/n), and T - 1 once more where that left a gap: one step more than asked for, as published.
    private static int[] Uniform(int n, int steps)
    {
        int skip = steps / n;
        return [.. Enumerable.Range(0, n).Select(i => i * skip).Concat(skip > 1 ? [steps - 1] : []).Select(s => steps - 1 - s)];
    }
}

/// <summary>The float32 tables of the published variance-preserving code: near t = 0 their rounding is part of its results.</summary>
internal sealed class PublishedTables
{
    public PublishedTables(NoiseSchedule schedule)
    {
        float[] bar = [.. schedule.AlphaBar.Select(a => (float)a)];
        Signal = [.. bar.Select(MathF.Sqrt)];
        Noise = [.. bar.Select(a => MathF.Sqrt(1f - a))];
        Sigma = [.. Noise.Zip(Signal, (noise, signal) => noise / signal)];
    }

    public int Steps => Signal.Length;
    /// <summary>sqrt(alphaBar_t).</summary>
    public float[] Signal { get; }
    /// <summary>sqrt(1 - alphaBar_t).</summary>
    public float[] Noise { get; }
    /// <summary>sqrt(1 - alphaBar_t) / sqrt(alphaBar_t).</summary>
    public float[] Sigma { get; }

    /// <summary>The time whose noise level is nearest; the first one of several.</summary>
    public int Nearest(double sigma)
    {
        int best = 0;
        for (int t = 1; t < Sigma.Length; t++)
            if (Math.Abs(Sigma[t] - sigma) < Math.Abs(Sigma[best] - sigma)) best = t;
        return best;
    }
}
