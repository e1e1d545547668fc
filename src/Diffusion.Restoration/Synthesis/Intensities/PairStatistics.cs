using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.Intensities;

/// <summary>Measures pairs of a user's own into a table to draw from.</summary>
public sealed class PairStatistics
{
    private readonly Dictionary<DegradationKind, Dictionary<string, List<Intensity>>> _measured = [];

    /// <summary>Number of pairs.</summary>
    public int Count => _measured.Values.Sum(sets => sets.Values.Sum(set => set.Count));

    /// <summary>Measures a pair.</summary>
    /// <param name="kind">The degradation.</param>
    /// <param name="dataset">What its data set is called.</param>
    /// <param name="clean">The clean picture's file.</param>
    /// <param name="degraded">The degraded picture's file.</param>
    /// <exception cref="ImageException">A picture cannot be read, or their sizes differ.</exception>
    public Intensity Add(DegradationKind kind, string dataset, string clean, string degraded)
    {
        using ComputeScope scope = new();
        using FinalizerHold hold = new();
        using Picture first = ImageFile.Read(clean),
            second = ImageFile.Read(degraded);
        if (first.Height != second.Height || first.Width != second.Width)
            throw new ImageException(
                $"The pair's sizes differ: {first.Width}x{first.Height} and {second.Width}x{second.Height} pixels",
                degraded,
                "Align them first"
            );
        Intensity measured = Intensity.Between(Color.ToRgb(second.Pixels), Color.ToRgb(first.Pixels));
        Add(kind, dataset, measured);
        return measured;
    }

    /// <summary>Adds a measured pair.</summary>
    public void Add(DegradationKind kind, string dataset, Intensity measured)
    {
        if (!_measured.TryGetValue(kind, out Dictionary<string, List<Intensity>>? sets))
            _measured[kind] = sets = [];
        if (!sets.TryGetValue(dataset, out List<Intensity>? list))
            sets[dataset] = list = [];
        list.Add(measured);
    }

    /// <summary>Mean and number of the pairs of each data set.</summary>
    public IEnumerable<(DegradationKind Kind, string Dataset, int Pairs, Intensity Mean)> Summary =>
        from sets in _measured.OrderBy(sets => sets.Key)
        from set in sets.Value.OrderBy(set => set.Key, StringComparer.Ordinal)
        select (
            sets.Key,
            set.Key,
            set.Value.Count,
            new Intensity(set.Value.Average(pair => pair.Mu), set.Value.Average(pair => pair.Sigma))
        );

    /// <summary>The table.</summary>
    /// <param name="source">Where the pairs come from, in words.</param>
    public IntensityTable ToTable(string source)
    {
        IntensityTable empty = new() { Degradations = [], Source = source };
        (int Mu, int Sigma) Bins(Intensity pair) => (empty.BinOf(pair.Mu, empty.MuRange), empty.BinOf(pair.Sigma, empty.SigmaRange));
        int[] Count(IEnumerable<int> bins)
        {
            int[] counts = new int[empty.Bins];
            foreach (int bin in bins)
                counts[bin]++;
            return counts;
        }
        return empty with
        {
            Degradations = _measured
                .OrderBy(sets => sets.Key)
                .ToDictionary(
                    sets => DegradationKinds.NameOf(sets.Key),
                    sets => new DegradationHistogram
                    {
                        Datasets = new(
                            sets.Value.ToDictionary(
                                set => set.Key,
                                set => new DataSetHistogram
                                {
                                    Mu = Count(set.Value.Select(pair => Bins(pair).Mu)),
                                    Sigma = Count(set.Value.Select(pair => Bins(pair).Sigma)),
                                }
                            ),
                            StringComparer.Ordinal
                        ),
                        Joint =
                        [
                            .. sets
                                .Value.Values.SelectMany(set => set)
                                .CountBy(Bins)
                                .OrderBy(cell => cell.Key)
                                .Select(cell => new[] { cell.Key.Mu, cell.Key.Sigma, cell.Value }),
                        ],
                    }
                ),
        };
    }
}
