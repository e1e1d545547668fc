using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class ThinConvolutionTests
{
    [Theory]
    [
        InlineData(1, 32, 9, 14, true),
        InlineData(2, 64, 16, 7, true),
        InlineData(3, 32, 1, 1, true),
        InlineData(1, 96, 2, 1, false),
        InlineData(1, 32, 1, 2, true),
        InlineData(2, 32, 3, 3, false),
        InlineData(1, 16, 40, 33, true)
    ]
    public void It_agrees_with_float64_arithmetic(int n, int channels, int height, int width, bool bias)
    {
        using ComputeScope scope = new();
        using OneConvolution fused = new(new ComputePolicy(), channels, bias);
        Tensor x = ChannelsLast.Of(Numbers(n, channels, height, width));
        Tensor y = fused.Layer.Forward(x);
        Tensor expected = torch.nn.functional.conv2d(
            x.to(ScalarType.Float64),
            fused.Parameters[0].Value.to(ScalarType.Float64),
            bias ? fused.Parameters[1].Value.to(ScalarType.Float64) : null,
            padding: [1, 1]
        );
        Assert.Equal(expected.shape, y.shape);
        Assert.True(ChannelsLast.Is(y));
        Assert.InRange((y - expected).abs().max().item<double>(), 0, 1e-4);
    }

    [Fact]
    public void Gradients_go_through_the_library()
    {
        using OneConvolution fused = new(new ComputePolicy(), 32, bias: true);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = ChannelsLast.Of(Numbers(1, 32, 6, 6)).requires_grad_();
        Assert.True(torch.autograd.grad([fused.Layer.Forward(x).sum()], [x])[0].abs().max().item<float>() > 0);
    }

    private static Tensor Numbers(params long[] shape) => new PhiloxNoise(5, [new ImageKey(1)]).Draw(NoiseRole.Start, [1, .. shape])[0];

    private sealed class OneConvolution : Network
    {
        public OneConvolution(ComputePolicy policy, long channels, bool bias)
            : base(policy)
        {
            Layer = new Conv2d(this, "layer", channels, 3, bias: bias, keepFloat32: true);
            foreach (var parameter in Parameters)
                parameter.Value = Numbers(parameter.Shape) * 0.2;
        }

        public Conv2d Layer { get; }
    }
}
