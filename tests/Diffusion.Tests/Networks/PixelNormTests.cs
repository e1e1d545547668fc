using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class PixelNormTests
{
    [Theory]
    [InlineData(1, 32, 5, 7, true), InlineData(3, 96, 16, 16, true), InlineData(2, 64, 1, 1, false), InlineData(2, 32, 200, 100, true)]
    public void The_fused_norm_agrees_with_float64_arithmetic(int n, int channels, int height, int width, bool modulated)
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), channels);
        Tensor x = ChannelsLast.Of(Numbers(n, channels, height, width) + 0.5),
            scale = Numbers(n, channels),
            shift = Numbers(n, channels) * 0.3,
            exact = x.to(ScalarType.Float64);
        Tensor v =
            exact / (exact.square().mean([1L], keepdim: true) + 0.01).sqrt() * fused.Parameters[0].Value.reshape(1, -1, 1, 1)
            + fused.Parameters[1].Value.reshape(1, -1, 1, 1);
        if (modulated)
            v = v * (1 + scale.reshape(n, channels, 1, 1)) + shift.reshape(n, channels, 1, 1);
        Tensor expected = torch.nn.functional.silu(v);
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Tensor y = fused.Norm.Activate(x, modulated ? (scale, shift) : null, dtype);
            Assert.Equal(dtype, y.dtype);
            Assert.True(ChannelsLast.Is(y));
            Assert.InRange(
                ((y - expected).abs() / (1 + expected.abs())).max().item<double>(),
                0,
                dtype == ScalarType.Float32 ? 1e-5 : 1.0 / 256 + 2e-4
            );
        }
    }

    [Fact]
    public void A_pixel_depends_on_itself_only()
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), 32);
        Tensor x = ChannelsLast.Of(Numbers(1, 32, 6, 9)),
            touched = x.clone();
        touched[0, .., 2, 3] += 5;
        Tensor changed = (fused.Norm.Activate(x) - fused.Norm.Activate(ChannelsLast.Of(touched))).abs().amax([0L, 1L]) > 0;
        Assert.Equal([2L, 3L], changed.nonzero().data<long>().ToArray());
    }

    private static Tensor Numbers(params long[] shape) => new PhiloxNoise(3, [new ImageKey(1)]).Draw(NoiseRole.Start, [1, .. shape])[0];

    private sealed class OneNorm : Network
    {
        public OneNorm(ComputePolicy policy, long channels)
            : base(policy)
        {
            Norm = new PixelNorm(this, "norm", channels);
            Parameters[0].Value = 1 + 0.2 * Numbers(channels);
            Parameters[1].Value = 0.1 * Numbers(channels);
        }

        public PixelNorm Norm { get; }
    }
}
