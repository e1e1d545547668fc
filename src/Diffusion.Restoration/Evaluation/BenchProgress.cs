namespace Diffusion.Evaluation;

/// <summary>How far a benchmark is.</summary>
/// <param name="Done">Restorations by solvers that are finished, failed or were there.</param>
/// <param name="Total">All of them.</param>
/// <param name="Row">The row that was just measured; null when it failed.</param>
/// <param name="Failure">What failed; null when nothing did.</param>
public readonly record struct BenchProgress(int Done, int Total, BenchRow? Row, string? Failure);
