using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Tests.Metrics;

public sealed class LpipsTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    /// <summary>SqueezeNet at full width with random weights, in torchvision's names.</summary>
    internal static Dictionary<string, Tensor> RandomSqueezeNet()
    {
        Dictionary<string, Tensor> weights = [];
        void Conv(string name, int outputs, int inputs, int size)
        {
            weights[$"{name}.weight"] = torch.randn(outputs, inputs, size, size) * Math.Sqrt(2.0 / (inputs * size * size));
            weights[$"{name}.bias"] = torch.zeros(outputs);
        }
        Conv("features.0", 64, 3, 3);
        int channels = 64;
        foreach (
            (int index, int squeeze, int expand) in new[]
            {
                (3, 16, 64),
                (4, 16, 64),
                (6, 32, 128),
                (7, 32, 128),
                (9, 48, 192),
                (10, 48, 192),
                (11, 64, 256),
                (12, 64, 256),
            }
        )
        {
            Conv($"features.{index}.squeeze", squeeze, channels, 1);
            Conv($"features.{index}.expand1x1", expand, squeeze, 1);
            Conv($"features.{index}.expand3x3", expand, squeeze, 3);
            channels = 2 * expand;
        }
        return weights;
    }

    [Fact]
    public void A_torchvision_trunk_works_with_the_linear_weights_that_ship()
    {
        using Lpips lpips = new(LpipsNet.Squeeze, RandomSqueezeNet());
        Tensor x = torch.rand(2, 3, 47, 64),
            near = (x + 0.02 * torch.randn(2, 3, 47, 64)).clamp(0, 1),
            far = torch.rand(2, 3, 47, 64);
        Assert.Equal(0, lpips.Distance(x, x).abs().max().item<float>());
        Tensor close = lpips.Distance(x, near),
            distant = lpips.Distance(x, far);
        Assert.Equal([2, 1, 1, 1], close.shape);
        Assert.True(close.lt(distant).all().item<bool>());
        Assert.Equal([64, 128, 256, 384, 384, 512, 512], lpips.Features(x).Select(feature => feature.shape[1]).ToArray());
    }

    [Fact]
    public void Gray_pictures_are_shown_in_three_channels()
    {
        using Lpips lpips = new(LpipsNet.Squeeze, RandomSqueezeNet());
        Tensor a = torch.rand(1, 1, 40, 40),
            b = torch.rand(1, 1, 40, 40);
        Assert.True((lpips.Distance(a, b) - lpips.Distance(a.expand(1, 3, 40, 40), b.expand(1, 3, 40, 40))).abs().item<float>() < 1e-7);
    }

    [Fact]
    public void A_missing_weight_is_named_in_both_spellings()
    {
        Dictionary<string, Tensor> weights = RandomSqueezeNet();
        weights.Remove("features.9.squeeze.bias");
        CheckpointException error = Assert.Throws<CheckpointException>(() => new Lpips(LpipsNet.Squeeze, weights));
        Assert.Contains("features.9.squeeze.bias", error.Message);
        Assert.Contains("net.slice4.9.squeeze.bias", error.Message);
    }

    [Fact]
    public void Linear_weights_of_another_width_are_refused()
    {
        Dictionary<string, Tensor> weights = RandomSqueezeNet();
        weights["lin2.model.1.weight"] = torch.ones(1, 128, 1, 1);
        Assert.Contains("[1,128,1,1]", Assert.Throws<CheckpointException>(() => new Lpips(LpipsNet.Squeeze, weights)).Message);
    }

    [Fact]
    public void Too_small_pictures_are_refused_by_size()
    {
        using Lpips lpips = new(LpipsNet.Squeeze, RandomSqueezeNet());
        Assert.Equal(1, lpips.Features(torch.rand(1, 3, 17, 17))[^1].shape[3]);
        Assert.Contains(
            "17x17",
            Assert.Throws<ArgumentException>(() => lpips.Distance(torch.rand(1, 3, 16, 17), torch.rand(1, 3, 16, 17))).Message
        );
    }

    public void Dispose() => _scope.Dispose();
}
