namespace Diffusion.Training.GenDeg;

/// <summary>The moving average of latent diffusion's published trainings, which follows the weights closely at first.</summary>
/// <param name="Ceiling">Share of the average that is kept in an update at most.</param>
/// <param name="Warms">Whether less is kept in the first updates.</param>
public sealed record WarmedAverage(double Ceiling = 0.9999, bool Warms = true)
{
    /// <summary>Share of the average that is kept in an update: min(ceiling, (1 + n) / (10 + n)).</summary>
    /// <param name="update">n, from 1.</param>
    public double Kept(long update) => Warms ? Math.Min(Ceiling, (1.0 + update) / (10 + update)) : Ceiling;

    /// <summary>Moves an average towards the weights.</summary>
    /// <param name="update">n, from 1.</param>
    /// <param name="average">[...] of any shape, changed in place.</param>
    /// <param name="weights">[...] in the shape of the average; borrowed.</param>
    public void Update(long update, Tensor average, Tensor weights)
    {
        using Tensor difference = weights - average;
        average.add_(difference, 1 - Kept(update));
    }
}
