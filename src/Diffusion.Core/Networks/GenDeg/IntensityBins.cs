using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>The equal bins in which GenDeg's network is told an intensity, and one more that says nothing.</summary>
/// <param name="Low">Lower edge of the first bin.</param>
/// <param name="High">Upper edge of the last bin.</param>
/// <param name="Count">Number of bins.</param>
public sealed record IntensityBins(double Low, double High, int Count = 128)
{
    /// <summary>Of mu, the mean of |degraded - clean| on [0,1].</summary>
    public static IntensityBins Mu { get; } = new(0, 0.7);

    /// <summary>Of sigma, its standard deviation.</summary>
    public static IntensityBins Sigma { get; } = new(0, 0.4);

    /// <summary>The entry that says nothing.</summary>
    public int Null => Count;

    /// <summary>The edges, one more than there are bins.</summary>
    public IReadOnlyList<double> Edges { get; } = Spacing.Linear(Low, High, Count + 1);

    /// <summary>
    /// The bin that a value lies in: what is on an edge belongs to the bin that begins there, what is above all to the last.
    /// </summary>
    /// <exception cref="ArgumentException">It lies below all bins, or is no number.</exception>
    public int Of(double value) =>
        value >= Low
            ? Math.Min(Edges.Count(edge => edge <= value) - 1, Count - 1)
            : throw new ArgumentException($"{value} lies below {Low}, where the bins begin.");

    /// <summary>One and zeros: [1,Count + 1] float32; the caller owns it.</summary>
    /// <param name="bin">A bin, or <see cref="Null"/>.</param>
    public Tensor OneHot(int bin)
    {
        float[] values = new float[Count + 1];
        values[bin] = 1;
        return torch.tensor(values).reshape(1, Count + 1);
    }
}
