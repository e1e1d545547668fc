using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Tests.Synthesis;

public sealed class IntensityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("intensities").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("mu=0.12,sigma=0.08", "mu=0.12,sigma=0.08")]
    [InlineData("level=0.5", "level=0.5")]
    [InlineData("level=0.2..0.8", "level=0.2..0.8")]
    [InlineData("published", "published")]
    [InlineData("published:Rain1400", "published:Rain1400")]
    public void The_forms_are_read_and_printed_back(string text, string printed) =>
        Assert.Equal(printed, IntensitySource.Parse(text).ToString());

    [Theory]
    [InlineData("strong")]
    [InlineData("mu=0.1")]
    [InlineData("mu=1.2,sigma=0.1")]
    [InlineData("mu=nan,sigma=0.1")]
    [InlineData("level=1.5")]
    [InlineData("level=0.8..0.2")]
    [InlineData("publishedly")]
    [InlineData("published:")]
    public void Anything_else_is_refused_with_all_forms(string text)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => IntensitySource.Parse(text));
        Assert.Contains("mu=0.12,sigma=0.08", error.Message);
    }

    [Fact]
    public void A_data_set_that_a_degradation_does_not_have_is_refused_with_the_nearest()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            IntensitySource.Parse("published:Rain140").Check(DegradationKind.Rain)
        );
        Assert.Contains("Rain1400", error.Message);
        Assert.Throws<ArgumentException>(() => IntensitySource.Parse("published:Rain1400").Check(DegradationKind.Snow));
    }

    /// <summary>Means over the pairs as the published tables have them.</summary>
    [Theory]
    [InlineData(DegradationKind.Haze, "RESIDE", 0.115, 0.069)]
    [InlineData(DegradationKind.Rain, "Rain1400", 0.066, 0.058)]
    [InlineData(DegradationKind.Rain, "SPAC", 0.019, 0.041)]
    [InlineData(DegradationKind.MotionBlur, "HIDE", 0.040, 0.056)]
    [InlineData(DegradationKind.LowLight, "SID", 0.187, 0.163)]
    [InlineData(DegradationKind.Raindrop, "Raindrop", 0.063, 0.078)]
    [InlineData(DegradationKind.Snow, "CSD", 0.162, 0.109)]
    public void The_published_tables_hold_the_published_pairs(DegradationKind kind, string dataset, double mu, double sigma)
    {
        IntensityTable table = IntensityTable.Published;
        DataSetHistogram set = table.Degradations[DegradationKinds.NameOf(kind)].Datasets[dataset];
        Assert.Equal(mu, Mean(table, set.Mu, table.MuRange), 0.003);
        Assert.Equal(sigma, Mean(table, set.Sigma, table.SigmaRange), 0.003);
        // Draws have the same mean of mu; sigma follows the pool of all sets.
        IntensitySource source = new TableIntensity(table, "published", dataset);
        double drawn = Enumerable.Range(0, 4000).Average(i => source.Draw(kind, 1, $"{i}").Mu);
        Assert.Equal(mu, drawn, 0.006);
    }

    [Fact]
    public void The_published_tables_hold_all_pairs() =>
        Assert.Equal(214_161, IntensityTable.Published.Degradations.Values.Sum(one => one.Datasets.Values.Sum(set => (long)set.Mu.Sum())));

    [Fact]
    public void A_draw_is_the_sample_keys_alone()
    {
        IntensitySource source = IntensitySource.Parse("published");
        Intensity first = source.Draw(DegradationKind.Rain, 1, "a");
        source.Draw(DegradationKind.Rain, 1, "b");
        Assert.Equal(first, source.Draw(DegradationKind.Rain, 1, "a"));
        Assert.NotEqual(first, source.Draw(DegradationKind.Rain, 2, "a"));
        Assert.NotEqual(first, source.Draw(DegradationKind.Rain, 1, "b"));
    }

    [Fact]
    public void Levels_grow_from_the_lower_to_the_upper_pair()
    {
        foreach (DegradationKind kind in Enum.GetValues<DegradationKind>())
        {
            (Intensity zero, Intensity one) = LevelIntensity.EndsOf(kind);
            Assert.Equal(zero, LevelIntensity.At(kind, 0));
            Assert.Equal(one.Mu, LevelIntensity.At(kind, 1).Mu, 12);
            Intensity middle = LevelIntensity.At(kind, 0.5);
            Assert.InRange(middle.Mu, zero.Mu, one.Mu);
            Assert.InRange(middle.Sigma, zero.Sigma, one.Sigma);
        }
    }

    [Fact]
    public void Pairs_of_ones_own_become_a_table_that_draws_them_again()
    {
        PairStatistics statistics = new();
        for (int i = 0; i < 40; i++)
            statistics.Add(DegradationKind.Snow, "mine", new Intensity(0.1 + 0.001 * i, 0.05 + 0.002 * i));
        statistics.Add(DegradationKind.Haze, "other", new Intensity(0.2, 0.1));
        string file = Path.Combine(_folder, "my table.json");
        File.WriteAllText(file, statistics.ToTable("a test").ToJson());
        IntensitySource source = IntensitySource.Parse($"stats:{file}");
        IntensitySource ofOne = IntensitySource.Parse($"stats:{file}:mine");
        ofOne.Check(DegradationKind.Snow);
        Assert.Throws<ArgumentException>(() => source.Check(DegradationKind.Rain));
        Intensity[] drawn = [.. Enumerable.Range(0, 500).Select(i => source.Draw(DegradationKind.Snow, 3, $"{i}"))];
        Assert.Equal(0.1195, drawn.Average(pair => pair.Mu), 0.004);
        Assert.Equal(0.089, drawn.Average(pair => pair.Sigma), 0.005);
        Assert.All(drawn, pair => Assert.InRange(pair.Mu, 0.098, 0.146));
        // Sigma belongs to its mu.
        Assert.All(drawn, pair => Assert.Equal(0.05 + 2 * (pair.Mu - 0.1), pair.Sigma, 0.02));
        Assert.Equal(IntensitySource.Parse($"stats:{file}").ToString(), source.ToString());
    }

    [Theory]
    [InlineData("{", "no table")]
    [InlineData("{\"schema\":2,\"degradations\":{}}", "version 2")]
    [InlineData("{\"degradations\":{\"haze\":{\"datasets\":{\"a\":{\"mu\":[1],\"sigma\":[1]}},\"joint\":[]}}}", "impossible")]
    [InlineData("{\"degradations\":{\"haze\":null}}", "impossible")]
    [InlineData("[]", "no table")]
    public void A_damaged_table_is_one_sentence(string text, string words)
    {
        string file = Path.Combine(_folder, "table.json");
        File.WriteAllText(file, text);
        DiffusionException error = Assert.Throws<DiffusionException>(() => IntensitySource.Parse($"stats:{file}"));
        Assert.Contains(words, error.Message);
        Assert.Contains(file, error.Message);
    }

    private static double Mean(IntensityTable table, int[] counts, double[] range) =>
        counts.Select((n, bin) => n * (table.Edge(bin, range) + table.Edge(bin + 1, range)) / 2).Sum() / counts.Sum();
}
