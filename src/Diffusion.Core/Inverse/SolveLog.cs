namespace Diffusion.Inverse;

/// <summary>How an iterative solution went.</summary>
/// <param name="Iterations">Iterations taken.</param>
/// <param name="Residual">Largest relative residual over the pictures of the batch, of the normal equations.</param>
/// <param name="Converged">Whether every picture is as precise as was asked; false: it ended at its limit of iterations, or stood
/// still.</param>
public readonly record struct SolveReport(int Iterations, double Residual, bool Converged);

/// <summary>Collects the reports of iterative solutions, of one run for example. Not for several threads at once.</summary>
public sealed class SolveLog
{
    /// <summary>Number of iterative solutions; those in closed form do not count.</summary>
    public int Solutions { get; private set; }

    /// <summary>Iterations of all of them.</summary>
    public long Iterations { get; private set; }

    /// <summary>Iterations of a solution on average; null without any.</summary>
    public double? Average => Solutions == 0 ? null : (double)Iterations / Solutions;

    /// <summary>Solutions that ended less precise than was asked.</summary>
    public int Unconverged { get; private set; }

    /// <summary>Largest relative residual of any of them; 0 without any.</summary>
    public double WorstResidual { get; private set; }

    /// <summary>The last one's report; null without any.</summary>
    public SolveReport? Last { get; private set; }

    /// <summary>Takes a report in.</summary>
    public void Add(SolveReport report)
    {
        Solutions++;
        Iterations += report.Iterations;
        Unconverged += report.Converged ? 0 : 1;
        WorstResidual = Math.Max(WorstResidual, report.Residual);
        Last = report;
    }
}
