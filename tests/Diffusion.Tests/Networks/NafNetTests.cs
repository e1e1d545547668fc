using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class NafNetTests
{
    [Fact]
    public void One_of_the_published_width_computes_in_bfloat16()
    {
        using ComputeScope scope = new();
        NafNetConfig config = new()
        {
            Width = 64,
            EncoderBlocks = [0, 0, 0, 1],
            MiddleBlocks = 1,
            DecoderBlocks = [1, 0, 0, 0],
        };
        using NafNet exact = Network(config, ScalarType.Float32),
            low = Network(config, ScalarType.BFloat16);
        Tensor x = new PhiloxNoise(1, [new ImageKey(1)]).Draw(NoiseRole.Start, 1, 3, 40, 33).sigmoid();
        Tensor expected = exact.Restore(x),
            got = low.Restore(x);
        Assert.True((expected - x).abs().max().item<float>() > 0.01);
        Assert.InRange((expected - got).abs().max().item<float>(), 0, 0.05 * (expected - x).abs().max().item<float>());
    }

    private static NafNet Network(NafNetConfig config, ScalarType dtype)
    {
        NafNet network = new(config, ComputePolicy.Reference with { NetworkDtype = dtype });
        network.Initialize(1);
        foreach (Parameter parameter in network.Parameters.Where(p => p.Name.EndsWith("beta") || p.Name.EndsWith("gamma")))
            parameter.Value = torch.full(parameter.Shape, 0.5f);
        network.Arrange();
        return network;
    }
}
