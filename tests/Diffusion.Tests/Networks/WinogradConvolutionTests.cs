using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class WinogradConvolutionTests
{
    [Theory]
    [
        InlineData(1, 32, 32, 64, 48, true),
        InlineData(2, 16, 64, 47, 61, true),
        InlineData(3, 48, 32, 50, 45, false),
        InlineData(1, 64, 96, 2049, 1, true),
        InlineData(1, 32, 32, 2, 1030, true),
        InlineData(1, 256, 160, 46, 46, true)
    ]
    public void A_convolution_agrees_with_float64_arithmetic_whatever_kernel_computes_it(
        int n,
        int inputs,
        int outputs,
        int height,
        int width,
        bool bias
    )
    {
        using ComputeScope scope = new();
        using OneConvolution fused = new(new ComputePolicy(), inputs, outputs, bias),
            plain = new(ComputePolicy.Reference, inputs, outputs, bias);
        Tensor x = ChannelsLast.Of(Numbers(n, inputs, height, width));
        Tensor expected = torch.nn.functional.conv2d(
            x.to(ScalarType.Float64),
            fused.Parameters[0].Value.to(ScalarType.Float64),
            bias ? fused.Parameters[1].Value.to(ScalarType.Float64) : null,
            padding: [1, 1]
        );
        foreach (OneConvolution convolution in (OneConvolution[])[fused, plain])
        {
            Tensor y = convolution.Layer.Forward(x);
            Assert.Equal(expected.shape, y.shape);
            Assert.True(ChannelsLast.Is(y));
            Assert.InRange((y - expected).abs().max().item<double>() / expected.std().item<double>(), 0, 2e-4);
        }
    }

    [Fact]
    public void Neither_threads_nor_the_rest_of_the_batch_change_a_picture()
    {
        using ComputeScope scope = new();
        using OneConvolution fused = new(new ComputePolicy(), 32, 64, bias: true);
        Tensor x = ChannelsLast.Of(Numbers(3, 32, 63, 50));
        int threads = torch.get_num_threads();
        try
        {
            torch.set_num_threads(3);
            Tensor all = fused.Layer.Forward(x);
            torch.set_num_threads(1);
            Assert.True(all[1].eq(fused.Layer.Forward(ChannelsLast.Of(x[1].unsqueeze(0)))[0]).all().item<bool>());
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }

    private static Tensor Numbers(params long[] shape) => new PhiloxNoise(6, [new ImageKey(1)]).Draw(NoiseRole.Start, [1, .. shape])[0];

    private sealed class OneConvolution : Network
    {
        public OneConvolution(ComputePolicy policy, long inputs, long outputs, bool bias)
            : base(policy)
        {
            Layer = new Conv2d(this, "layer", inputs, outputs, bias: bias, keepFloat32: true);
            foreach (var parameter in Parameters)
                parameter.Value = Numbers(parameter.Shape) * 0.2;
        }

        public Conv2d Layer { get; }
    }
}
