using Diffusion.Evaluation;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Training.Pairs;

namespace Diffusion.Tests.Evaluation;

public sealed class RestorerComparisonTests
{
    [Fact]
    public void Runs_of_a_recipe_get_a_mean_and_a_spread()
    {
        RestorerScore Score(string recipe, int run, double psnr) =>
            new(recipe, run, "a.png", Diffusion.Synthesis.DegradationKind.Rain, psnr, 0.5, 0.1);
        string table = RestorerComparison.Markdown([Score("real", 1, 20), Score("real", 2, 22), Score("degraded", 0, 18)]);
        Assert.Contains("| rain | 1 | real | 2 | 21.00 ± 1.41 | 0.5000 ± 0.0000 | 0.1000 ± 0.0000 |", table);
        Assert.Contains("| all | 1 | degraded | 1 | 18.00 | 0.5000 | 0.1000 |", table);
    }

    [Fact]
    public void What_a_network_restores_is_measured_and_without_one_what_is_given()
    {
        using PictureNetwork network = (PictureNetwork)PairFixture.Restorer.Create(ComputePolicy.Reference);
        network.Initialize(1);
        RestorerScore given = RestorerComparison.Measure(PairFixture.Pair(0), null, "degraded", 0),
            restored = RestorerComparison.Measure(PairFixture.Pair(0), network, "x", 1);
        Assert.InRange(given.Psnr, 5, 20);
        Assert.NotEqual(given.Psnr, restored.Psnr);
        Assert.Equal("0-degraded.png", restored.Pair);
    }
}
