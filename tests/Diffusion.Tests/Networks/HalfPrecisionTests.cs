using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

/// <summary>Networks that are asked for bf16 give what they give in float32, but for its rounding.</summary>
public sealed class HalfPrecisionTests
{
    private static readonly ComputePolicy Half = new() { NetworkDtype = ScalarType.BFloat16 };

    [Fact]
    public void A_text_encoder_of_published_heads_does()
    {
        using ComputeScope scope = new();
        ClipTextConfig config = new()
        {
            HiddenSize = 128,
            IntermediateSize = 256,
            Heads = 2,
            Layers = 2,
            VocabularySize = 100,
        };
        Tensor ids = torch.arange(77).unsqueeze(0);
        Near(policy => Filled(new ClipTextEncoder(config, policy)), network => network.Encode(ids));
    }

    [Fact]
    public void A_NAFNet_of_published_width_does()
    {
        using ComputeScope scope = new();
        NafNetConfig config = new()
        {
            InChannels = 6,
            Width = 64,
            EncoderBlocks = [1, 1, 1, 1],
            DecoderBlocks = [1, 1, 1, 1],
        };
        Tensor x = torch.linspace(-1, 1, 6 * 128 * 128).reshape(1, 6, 128, 128);
        Near(policy => Filled(new NafNet(config, policy)), network => network.Forward(x));
    }

    private static void Near<TNetwork>(Func<ComputePolicy, TNetwork> create, Func<TNetwork, Tensor> compute)
        where TNetwork : Network
    {
        using TNetwork whole = create(ComputePolicy.Reference),
            half = create(Half);
        Tensor expected = compute(whole),
            actual = compute(half);
        Assert.Equal(ScalarType.Float32, actual.dtype);
        double scale = expected.std().item<float>();
        TensorAssert.Close("output", expected / scale, actual / scale, 0.1, 0);
    }

    private static TNetwork Filled<TNetwork>(TNetwork network)
        where TNetwork : Network
    {
        network.Initialize(1);
        foreach (Parameter parameter in network.Parameters.Where(p => p.Name.EndsWith("beta") || p.Name.EndsWith("gamma")))
            parameter.Value = torch.full(parameter.Shape, 0.3f);
        network.Arrange();
        return network;
    }
}
