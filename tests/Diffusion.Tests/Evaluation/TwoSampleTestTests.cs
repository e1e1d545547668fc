using Diffusion.Evaluation;

namespace Diffusion.Tests.Evaluation;

public sealed class TwoSampleTestTests
{
    private const int Scenes = 12,
        PairsOfScene = 2,
        Features = 6;

    /// <summary>Features share what their scene is like; the made ones are shifted, or vary more.</summary>
    private static FeaturePair[] Pairs(int seed, double shift = 0, double sceneShift = 0)
    {
        Random random = new(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return
        [
            .. from scene in Enumerable.Range(0, Scenes)
            let own = Enumerable.Range(0, Features).Select(_ => 5 * Normal()).ToArray()
            // What a scene's photographs all have, real or made by chance: no property of the made ones.
            let other = Enumerable.Range(0, Features).Select(_ => sceneShift * Normal()).ToArray()
            from _ in Enumerable.Range(0, PairsOfScene)
            select new FeaturePair(
                $"scene {scene}",
                [.. own.Select(v => v + Normal())],
                [.. own.Select((v, k) => v + other[k] + Normal() + (k == 0 ? shift : 0))]
            ),
        ];
    }

    [Fact]
    public void Samples_of_another_distribution_are_told_apart()
    {
        TwoSampleResult result = TwoSampleTest.Run(Pairs(1, shift: 4), 199);
        Assert.Equal(0.005, result.P, 4);
        Assert.InRange(result.Statistic, 0.9, 1);
        Assert.InRange(result.Interval.Low, 0.75, 1);
    }

    [Fact]
    public void Samples_of_one_distribution_are_found_different_no_more_often_than_promised()
    {
        double[] p = [.. Enumerable.Range(0, 60).Select(seed => TwoSampleTest.Run(Pairs(100 + seed), 99, seed).P)];
        Assert.InRange(p.Count(one => one <= 0.05), 0, 8);
        Assert.InRange(p.Average(), 0.35, 0.65);
    }

    [Fact]
    public void Pairs_of_one_scene_do_not_count_as_many()
    {
        // Both pairs of a scene differ alike by chance: a test with the pair as unit takes that for a finding.
        double[] p = [.. Enumerable.Range(0, 60).Select(seed => TwoSampleTest.Run(Pairs(300 + seed, sceneShift: 6), 99, seed).P)];
        Assert.InRange(p.Count(one => one <= 0.05), 0, 8);
    }

    [Fact]
    public void What_is_more_like_reality_is_told_from_it_less_often()
    {
        TwoSampleResult far = TwoSampleTest.Run(Pairs(1, shift: 6), 19),
            near = TwoSampleTest.Run(Pairs(2, shift: 0), 19);
        (double difference, double low, double high) = near.Against(far);
        Assert.InRange(difference, -0.8, -0.2);
        Assert.InRange(high, -0.8, 0);
        Assert.InRange(low, -1, difference);
        Assert.Equal((0, 0, 0), far.Against(far));
    }

    [Fact]
    public void Two_scenes_are_too_few() =>
        Assert.Contains("3 scenes", Assert.Throws<ArgumentException>(() => TwoSampleTest.Run(Pairs(1)[..4])).Message);
}
