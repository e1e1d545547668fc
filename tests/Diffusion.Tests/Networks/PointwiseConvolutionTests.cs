using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class PointwiseConvolutionTests
{
    /// <summary>Where libtorch's own convolution divides by zero, and the process ends.</summary>
    [Theory]
    [InlineData(512, 1024)]
    [InlineData(1024, 512)]
    [InlineData(1024, 2048)]
    [InlineData(1024, 1024)]
    public void Wide_ones_are_computed_in_bfloat16(int inputs, int outputs)
    {
        using ComputeScope scope = new();
        using Layer exact = new(inputs, outputs, ScalarType.Float32),
            low = new(inputs, outputs, ScalarType.BFloat16);
        Tensor x = ChannelsLast.Of(new PhiloxNoise(1, [new ImageKey(1)]).Draw(NoiseRole.Start, 1, inputs, 5, 6));
        Tensor expected = exact.Convolution.Forward(x),
            got = low.Convolution.Forward(x.to(ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, got.dtype);
        Assert.Equal([1, outputs, 5, 6], got.shape);
        Assert.True(ChannelsLast.Is(got));
        Assert.InRange((got.to(ScalarType.Float32) - expected).abs().max().item<float>(), 0, 0.03 * expected.abs().max().item<float>());
    }

    private sealed class Layer : Network
    {
        public Layer(int inputs, int outputs, ScalarType dtype)
            : base(ComputePolicy.Reference with { NetworkDtype = dtype })
        {
            Convolution = new Conv2d(this, "wide", inputs, outputs, kernel: 1);
            Initialize(3);
            Arrange();
        }

        public Conv2d Convolution { get; }
    }
}
