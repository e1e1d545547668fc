using System.Globalization;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>One step of a running restoration.</summary>
/// <param name="Sample">Number of the sample, from 1; of the area, for a picture that is restored area by area.</param>
/// <param name="Samples">Number of samples or areas.</param>
/// <param name="Step">The solver's step.</param>
public readonly record struct RestoreProgress(int Sample, int Samples, SolverStep Step)
{
    /// <summary>The finished part, 0..1.</summary>
    public double Fraction => (Sample - 1 + (double)Step.Step / Step.Steps) / Samples;
}

/// <summary>A restored picture and how it came about.</summary>
public sealed record RestoredPicture : IDisposable
{
    /// <summary>The picture; with several samples, their mean.</summary>
    public required Picture Picture { get; init; }

    /// <summary>
    /// The results of the pages, where the file is a stack: this one sums them up, and <see cref="Picture"/> is the first one's; empty
    /// where
    /// it is none.
    /// </summary>
    public IReadOnlyList<RestoredPicture> Parts { get; init; } = [];

    /// <summary>The pictures of all pages.</summary>
    public IReadOnlyList<Picture> Pages => Parts.Count == 0 ? [Picture] : [.. Parts.Select(part => part.Picture)];

    /// <summary>The single restorations, where there are several.</summary>
    public IReadOnlyList<Picture> Samples { get; init; } = [];

    /// <summary>How the samples differ; null with one sample.</summary>
    public SampleSpread? Spread { get; init; }

    /// <summary>The operator's canonical spec; null for methods that know no operator.</summary>
    public required string? Operator { get; init; }

    /// <summary>The noise level that was used, on [0,1]; null for methods that need none.</summary>
    public required double? Noise { get; init; }

    /// <summary>Whether <see cref="Noise"/> was estimated.</summary>
    public bool NoiseEstimated { get; init; }

    /// <summary>
    /// The noise where one number does not say it: <c>poisson:gain=G,read=R</c>, <c>map:FILE</c>; <see cref="Noise"/> is its mean then.
    /// </summary>
    public string? NoiseModel { get; init; }

    /// <summary>The name of the solver, or of what else restored.</summary>
    public required string Solver { get; init; }

    /// <summary>Network evaluations per sample.</summary>
    public required int Evaluations { get; init; }

    /// <summary>
    /// Number of areas in which it was restored, one after the other, because it is too large for the memory; 1 for the whole at once.
    /// </summary>
    public int Areas { get; init; } = 1;

    /// <summary>Solver and evaluations in words.</summary>
    public string Method =>
        $"{Solver}, {Evaluations} evaluation{(Evaluations == 1 ? "" : "s")}{(Areas > 1 ? $" in each of {Areas} areas" : "")}";

    /// <summary>Seconds that the batch took, divided by its size.</summary>
    public required double Seconds { get; init; }

    /// <summary>
    /// ||y - A x||^2 over its expected value under the noise: near 1 when operator and noise are right; null without noise.
    /// </summary>
    public double? WhitenedResidual { get; init; }

    /// <summary>How the data steps of its batch without a closed form went.</summary>
    public SolveLog Solves { get; init; } = new();

    /// <summary>Iterations that a data step took on average; null where it has a closed form.</summary>
    public double? InnerIterations => Solves.Average;

    /// <summary>What the user should know of data steps that ended less precise than they should; null when there is nothing.</summary>
    public string? SolvesHint => HintOf([Solves]);

    /// <summary>What the user should know of the data steps of several pictures; null when there is nothing.</summary>
    /// <param name="logs">Those of their batches, each once.</param>
    public static string? HintOf(IReadOnlyCollection<SolveLog> logs) =>
        logs.Sum(log => log.Unconverged) is > 0 and var unconverged
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{unconverged} of {logs.Sum(log => log.Solutions)} data steps stopped at their limit of iterations (relative residual up "
                    + $"to {logs.Max(log => log.WorstResidual):0.0E+0}): the picture may fit the measurement less than it could; check the "
                    + $"operator (diffusion operators check), or give a higher noise level"
            )
            : null;

    /// <summary>What the user should know about the fit; null when there is nothing.</summary>
    public string? Hint { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RestoredPicture part in Parts)
            part.Dispose();
        Picture.Dispose();
        foreach (Picture sample in Samples)
            sample.Dispose();
        Spread?.Dispose();
    }
}
