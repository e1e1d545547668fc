using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Restoration;

public sealed class SampleSpreadTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(20)]
    public void Intervals_of_samples_from_the_posterior_hold_what_they_say(int count)
    {
        using ComputeScope scope = new();
        // A Gaussian posterior with a mean and a deviation of its own at every pixel; the original is one more draw.
        Tensor mean = Draw(0),
            deviation = 0.05 * Draw(1).abs() + 0.01;
        Tensor samples = torch.cat([.. Enumerable.Range(0, count).Select(k => mean + deviation * Draw(2 + k))]),
            clean = mean + deviation * Draw(1000);
        using SampleSpread spread = new()
        {
            Count = count,
            Mean = samples.mean([0], keepdim: true),
            Deviation = samples.std(0, unbiased: true, keepdim: true),
        };
        SpreadReport report = spread.Against(clean);
        Assert.InRange(report.Within68, 0.67, 0.69);
        Assert.InRange(report.Within95, 0.94, 0.96);
        Assert.InRange(report.Spread * Math.Sqrt(1 + 1.0 / count), 0.97 * report.Error, 1.03 * report.Error);
    }

    [Fact]
    public void Samples_that_are_too_alike_are_found_out()
    {
        using ComputeScope scope = new();
        Tensor samples = 0.01 * torch.cat([.. Enumerable.Range(0, 10).Select(Draw)]);
        using SampleSpread spread = new()
        {
            Count = 10,
            Mean = samples.mean([0], keepdim: true),
            Deviation = samples.std(0, unbiased: true, keepdim: true),
        };
        Assert.InRange(spread.Against(0.1 * Draw(1000)).Within95, 0, 0.3);
    }

    private static Tensor Draw(int sample) => new PhiloxNoise(7, [default], sample).Draw(NoiseRole.Step, 1, 3, 128, 128);
}
