using Diffusion.Runtime;

namespace Diffusion.Synthesis.Intensities;

/// <summary>
/// GenDeg's draw of (mu, sigma): a data set by its weight, a bin of mu by its pairs, mu uniform in it, then sigma likewise from the joint
/// row of that bin, which belongs to all data sets together. Every 20th sample is uniform over the range of the data set instead.
/// </summary>
public static class TableSampling
{
    /// <summary>Of so many samples one is uniform.</summary>
    public const int UniformEvery = 20;

    /// <summary>Draws.</summary>
    /// <param name="table">Where from.</param>
    /// <param name="kind">The degradation.</param>
    /// <param name="dataset">Only this data set; null: any.</param>
    /// <param name="uniform">Whether the histograms are ignored.</param>
    /// <param name="draws">The random numbers, in the published order.</param>
    /// <returns>The pair, and the data set that it comes from.</returns>
    /// <exception cref="ArgumentException">The table knows no such degradation or data set.</exception>
    public static (Intensity Intensity, string Dataset) Draw(
        IntensityTable table,
        DegradationKind kind,
        string? dataset,
        bool uniform,
        ITableDraws draws
    )
    {
        DegradationHistogram histogram = Find(table, kind);
        string chosen = dataset is null ? Choose(histogram, draws.Uniform()) : Find(histogram, kind, dataset);
        DataSetHistogram set = histogram.Datasets[chosen];
        if (uniform)
        {
            double mu = Within(table, set.Mu, table.MuRange, draws.Uniform()),
                sigma = Within(table, set.Sigma, table.SigmaRange, draws.Uniform());
            return (new Intensity(mu, sigma), chosen);
        }
        int bin = BinAt(set.Mu, draws.Count(set.Mu.Sum()));
        double drawnMu = InBin(table, bin, table.MuRange, draws.Uniform());
        int[] row = new int[table.Bins];
        foreach (int[] cell in histogram.Joint)
            if (cell[0] == bin)
                row[cell[1]] += cell[2];
        int sigmaBin = BinAt(row, draws.Count(row.Sum()));
        return (new Intensity(drawnMu, InBin(table, sigmaBin, table.SigmaRange, draws.Uniform())), chosen);
    }

    /// <summary>Checks that a table has a degradation, and one of its data sets.</summary>
    /// <exception cref="ArgumentException">It has not.</exception>
    public static void Check(IntensityTable table, DegradationKind kind, string? dataset)
    {
        DegradationHistogram histogram = Find(table, kind);
        if (dataset is not null)
            Find(histogram, kind, dataset);
    }

    private static DegradationHistogram Find(IntensityTable table, DegradationKind kind) =>
        table.Degradations.TryGetValue(DegradationKinds.NameOf(kind), out DegradationHistogram? found)
            ? found
            : throw new ArgumentException(
                $"The table has no pairs of {DegradationKinds.NameOf(kind)}. There are {string.Join(", ", table.Degradations.Keys)}."
            );

    private static string Find(DegradationHistogram histogram, DegradationKind kind, string dataset) =>
        histogram.Datasets.Keys.FirstOrDefault(name => name.Equals(dataset, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException(
            $"There is no data set \"{dataset}\" of {DegradationKinds.NameOf(kind)}. {NearestName.Advice(dataset, histogram.Datasets.Keys)}"
        );

    private static string Choose(DegradationHistogram histogram, double u)
    {
        // Names in the order of their code points. The weights are not made to sum to 1.
        string[] names = [.. histogram.Datasets.Keys.Order(StringComparer.Ordinal)];
        double[] weights = [.. names.Select(name => (histogram.Datasets[name].Weight ?? 1) / names.Length)];
        double at = u * weights.Sum(),
            sum = 0;
        for (int i = 0; i < names.Length; i++)
            if (at < (sum += weights[i]))
                return names[i];
        return names[^1];
    }

    private static int BinAt(int[] counts, int wanted)
    {
        int bin = 0,
            sum = counts[0];
        while (sum < wanted && bin < counts.Length - 1)
            sum += counts[++bin];
        return bin;
    }

    private static double InBin(IntensityTable table, int bin, double[] range, double u)
    {
        double low = table.Edge(bin, range);
        return low + u * (table.Edge(bin + 1, range) - low);
    }

    private static double Within(IntensityTable table, int[] counts, double[] range, double u)
    {
        double low = table.Edge(Array.FindIndex(counts, n => n > 0), range),
            high = table.Edge(Array.FindLastIndex(counts, n => n > 0) + 1, range);
        return low + u * (high - low);
    }
}

/// <summary>Random numbers for <see cref="TableSampling"/>.</summary>
public interface ITableDraws
{
    /// <summary>Uniform on [0,1).</summary>
    double Uniform();

    /// <summary>A whole number, 1 to <paramref name="total"/>.</summary>
    int Count(int total);
}
