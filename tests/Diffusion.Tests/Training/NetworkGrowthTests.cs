using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class NetworkGrowthTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    public void A_grown_network_computes_the_same(int before, int after)
    {
        using ComputeScope scope = new();
        AdmUNetConfig small = TrainingFixture.Architecture with
        {
            NumResBlocks = before,
            ChannelMult = [1, 2, 2],
            AttentionResolutions = [2],
        };
        using AdmUNet source = new(small),
            target = new(small with { NumResBlocks = after });
        source.Initialize(1);
        // Zero-initialised layers would hide differences.
        foreach (var parameter in source.Parameters)
            parameter.Value = parameter.Value + 0.02 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).sin();
        NetworkGrowth.Fill(source, target);
        Tensor x = torch.arange(3 * 16 * 24).reshape(1, 3, 16, 24).to(ScalarType.Float32).sin(),
            t = torch.tensor([250f]);
        Tensor expected = source.Forward(x, t);
        Assert.True(expected.std().item<float>() > 1e-3);
        Assert.True((target.Forward(x, t) - expected).abs().max().item<float>() < 2e-5 * expected.abs().max().item<float>());
    }

    [Fact]
    public void Networks_of_other_widths_are_refused()
    {
        using AdmUNet source = new(TrainingFixture.Architecture),
            target = new(TrainingFixture.Architecture with { ChannelMult = [1, 2] });
        Assert.Throws<ArgumentException>(() => NetworkGrowth.Fill(source, target));
    }
}
