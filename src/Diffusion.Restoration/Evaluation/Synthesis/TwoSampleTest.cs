namespace Diffusion.Evaluation;

/// <summary>
/// Whether made samples can be told from real ones, with the scene as the unit: a classifier two-sample test (Lopez-Paz and Oquab 2017)
/// for pairs of a real and a made sample of equal content.
/// </summary>
/// <remarks>
/// A linear discriminant with ridge is learned on all scenes but one and told apart the pairs of that one, scene after scene; the
/// statistic is the mean over scenes of the share of pairs in which it knows which one is real: 0.5 where nothing gives the made ones
/// away, 1 where they are always recognised. Under the hypothesis that both are of one distribution, real and made may be exchanged
/// within a scene: whole scenes are exchanged at random for the p-value. The interval is the bootstrap's over scenes.
/// </remarks>
public static class TwoSampleTest
{
    private const double Ridge = 0.3;

    /// <summary>Tests.</summary>
    /// <param name="pairs">Features of real and made samples and the scene of each pair; at least three scenes.</param>
    /// <param name="permutations">Random exchanges.</param>
    /// <param name="seed">Of exchanges and bootstrap.</param>
    /// <exception cref="ArgumentException">Fewer scenes, or features of different number.</exception>
    public static TwoSampleResult Run(IReadOnlyList<FeaturePair> pairs, int permutations = 999, int seed = 0)
    {
        int width = pairs.Count == 0 ? 0 : pairs[0].Real.Count;
        if (pairs.Any(pair => pair.Real.Count != width || pair.Made.Count != width))
            throw new ArgumentException("All samples need the same number of features.", nameof(pairs));
        string[] scenes = [.. pairs.Select(pair => pair.Scene).Distinct().Order(StringComparer.Ordinal)];
        if (scenes.Length < 3)
            throw new ArgumentException($"The test needs pairs of at least 3 scenes, not {scenes.Length}.", nameof(pairs));
        (double[] Difference, int Scene)[] data = Differences(pairs, scenes);
        double[] told = Told(data, scenes.Length, []);
        double statistic = told.Average();
        Random random = new(seed);
        int asLarge = 1;
        for (int i = 0; i < permutations; i++)
        {
            HashSet<int> exchanged = [.. Enumerable.Range(0, scenes.Length).Where(_ => random.Next(2) == 1)];
            if (Told(data, scenes.Length, exchanged).Average() >= statistic - 1e-12)
                asLarge++;
        }
        return new TwoSampleResult(scenes, told, (double)asLarge / (permutations + 1), Interval(told, random));
    }

    /// <summary>The 95 % interval of a mean over scenes by the bootstrap.</summary>
    /// <param name="values">A value for each scene.</param>
    /// <param name="random">What draws.</param>
    public static (double Low, double High) Interval(IReadOnlyList<double> values, Random random)
    {
        const int Draws = 4000;
        double[] means =
        [
            .. Enumerable
                .Range(0, Draws)
                .Select(_ => Enumerable.Range(0, values.Count).Average(_ => values[random.Next(values.Count)]))
                .Order(),
        ];
        return (means[(int)(0.025 * Draws)], means[(int)(0.975 * Draws) - 1]);
    }

    // Only the difference of a pair enters: its sign is the label. Each feature is measured by the spread of both samples.
    private static (double[] Difference, int Scene)[] Differences(IReadOnlyList<FeaturePair> pairs, string[] scenes)
    {
        int width = pairs[0].Real.Count;
        double[] scale =
        [
            .. Enumerable
                .Range(0, width)
                .Select(k =>
                {
                    double[] all = [.. pairs.SelectMany(pair => (double[])[pair.Real[k], pair.Made[k]])];
                    double mean = all.Average();
                    return Math.Sqrt(all.Average(v => (v - mean) * (v - mean))) + 1e-9;
                }),
        ];
        return
        [
            .. pairs.Select(pair =>
                (
                    Enumerable.Range(0, width).Select(k => (pair.Real[k] - pair.Made[k]) / scale[k]).ToArray(),
                    Array.IndexOf(scenes, pair.Scene)
                )
            ),
        ];
    }

    /// <summary>For each scene the share of its pairs that the discriminant of the others knows.</summary>
    private static double[] Told((double[] Difference, int Scene)[] data, int scenes, HashSet<int> exchanged)
    {
        double[] told = new double[scenes];
        double Sign(int scene) => exchanged.Contains(scene) ? -1 : 1;
        for (int left = 0; left < scenes; left++)
        {
            double[] direction = Direction([.. data.Where(one => one.Scene != left)], Sign);
            double[] known =
            [
                .. data.Where(one => one.Scene == left)
                    .Select(one => Sign(left) * one.Difference.Zip(direction, (d, w) => d * w).Sum())
                    .Select(score =>
                        score > 1e-12 ? 1
                        : score < -1e-12 ? 0
                        : 0.5
                    ),
            ];
            told[left] = known.Average();
        }
        return told;
    }

    /// <summary>(S + ridge I)^-1 m: mean and second moment of the differences, every scene with equal say.</summary>
    private static double[] Direction((double[] Difference, int Scene)[] data, Func<int, double> sign)
    {
        int width = data[0].Difference.Length;
        double[] mean = new double[width];
        double[,] moment = new double[width, width];
        Dictionary<int, int> counts = data.GroupBy(one => one.Scene).ToDictionary(scene => scene.Key, scene => scene.Count());
        foreach ((double[] d, int scene) in data)
        {
            double weight = 1.0 / (counts[scene] * counts.Count);
            for (int i = 0; i < width; i++)
            {
                mean[i] += weight * sign(scene) * d[i];
                for (int j = 0; j < width; j++)
                    moment[i, j] += weight * d[i] * d[j];
            }
        }
        for (int i = 0; i < width; i++)
            moment[i, i] += Ridge;
        return Solved(moment, mean);
    }

    /// <summary>Solves a symmetric positive definite system by Cholesky's factors.</summary>
    private static double[] Solved(double[,] a, double[] b)
    {
        int n = b.Length;
        for (int j = 0; j < n; j++)
        for (int i = j; i < n; i++)
        {
            double sum = a[i, j];
            for (int k = 0; k < j; k++)
                sum -= a[i, k] * a[j, k];
            a[i, j] = i == j ? Math.Sqrt(sum) : sum / a[j, j];
        }
        double[] x = [.. b];
        for (int i = 0; i < n; i++)
        {
            for (int k = 0; k < i; k++)
                x[i] -= a[i, k] * x[k];
            x[i] /= a[i, i];
        }
        for (int i = n - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < n; k++)
                x[i] -= a[k, i] * x[k];
            x[i] /= a[i, i];
        }
        return x;
    }
}

/// <summary>Features of a real sample and of a made one of equal content.</summary>
/// <param name="Scene">What both show.</param>
/// <param name="Real">Of the real one.</param>
/// <param name="Made">Of the made one.</param>
public sealed record FeaturePair(string Scene, IReadOnlyList<double> Real, IReadOnlyList<double> Made);

/// <summary>What the test found.</summary>
/// <param name="Scenes">The scenes in order.</param>
/// <param name="Told">For each the share of pairs in which the real one was known.</param>
/// <param name="P">Chance of a statistic as large where both are of one distribution.</param>
/// <param name="Interval">95 % interval of the statistic.</param>
public sealed record TwoSampleResult(IReadOnlyList<string> Scenes, IReadOnlyList<double> Told, double P, (double Low, double High) Interval)
{
    /// <summary>The statistic: 0.5 where nothing gives the made ones away, 1 where they are always known.</summary>
    public double Statistic => Told.Average();

    /// <summary>
    /// How much more often these are told from real ones than others on the same scenes; below 0: they are more like reality.
    /// </summary>
    /// <param name="other">The test of the others.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <exception cref="ArgumentException">The scenes are others.</exception>
    public (double Difference, double Low, double High) Against(TwoSampleResult other, int seed = 0)
    {
        if (!Scenes.SequenceEqual(other.Scenes))
            throw new ArgumentException("Only tests on the same scenes can be compared.", nameof(other));
        double[] differences = [.. Told.Zip(other.Told, (a, b) => a - b)];
        (double low, double high) = TwoSampleTest.Interval(differences, new Random(seed));
        return (differences.Average(), low, high);
    }
}
