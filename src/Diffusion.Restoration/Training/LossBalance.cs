namespace Diffusion.Training;

/// <summary>Running mean of the loss per bin of noise levels; dividing by it gives every level the same say.</summary>
/// <remarks>
/// The loss of epsilon spans two decades between low and high noise; without balance the lowest levels, where little can be learnt,
/// dominate.
/// </remarks>
public sealed class LossBalance
{
    private const double Memory = 0.99;

    /// <summary>The means; NaN where nothing was seen.</summary>
    public double[] Means { get; } = [.. Enumerable.Repeat(double.NaN, NoiseLevels.Bins)];

    /// <summary>What a loss in this bin is multiplied with.</summary>
    public double Weight(int bin) => double.IsNaN(Means[bin]) ? 1 : 1 / Math.Max(Means[bin], 1e-6);

    /// <summary>Takes note of one crop's loss.</summary>
    public void Observe(int bin, double loss) => Means[bin] = double.IsNaN(Means[bin]) ? loss : Memory * Means[bin] + (1 - Memory) * loss;
}
