using Diffusion.Evaluation;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Rendering;
using Diffusion.Tests.Synthesis;

namespace Diffusion.Tests.Evaluation;

public sealed class ChangeFeaturesTests
{
    [Fact]
    public void They_tell_noise_from_rendered_rain_and_do_not_tell_strength()
    {
        using ComputeScope scope = new();
        using RenderedGenerator renderers = new();
        List<FeaturePair> other = [],
            stronger = [];
        for (int i = 0; i < 6; i++)
        {
            Tensor clean = TestScene.Draw(64, 72, i) * 0.6 + 0.1;
            using Synthesized rain = renderers.Generate(clean, new(DegradationKind.Rain, new(0.05, 0.06), 1, $"{i}")),
                again = renderers.Generate(clean, new(DegradationKind.Rain, new(0.05, 0.06), 1, $"{i} again"));
            Tensor noise = clean + 0.07 * new PhiloxNoise(1, [new ImageKey((ulong)i)]).Draw(NoiseRole.Start, clean.shape);
            IReadOnlyList<double> real = ChangeFeatures.Of(rain.Degraded, clean);
            Assert.All(real, number => Assert.True(double.IsFinite(number)));
            other.Add(new($"{i}", real, ChangeFeatures.Of(noise, clean)));
            stronger.Add(new($"{i}", real, ChangeFeatures.Of(again.Degraded, clean)));
        }
        Assert.Equal(1, TwoSampleTest.Run(other, 19).Statistic);
        Assert.InRange(TwoSampleTest.Run(stronger, 19).Statistic, 0, 0.84);
    }
}
