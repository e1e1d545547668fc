using Diffusion.Runtime;

namespace Diffusion.Tests;

public sealed class PhiloxNoiseTests
{
    [Fact]
    public void A_picture_gets_the_same_numbers_alone_and_in_a_batch()
    {
        using ComputeScope scope = new();
        ImageKey a = ImageKey.FromName("a"),
            b = ImageKey.FromName("b");
        Tensor alone = new PhiloxNoise(7, [b]).Draw(NoiseRole.Start, 1, 3, 5, 7);
        Tensor batch = new PhiloxNoise(7, [a, b]).Draw(NoiseRole.Start, 2, 3, 5, 7);
        Assert.True(alone[0].eq(batch[1]).all().item<bool>());
        Assert.False(alone[0].eq(batch[0]).all().item<bool>());
    }

    [Fact]
    public void Numbers_are_standard_normal()
    {
        using ComputeScope scope = new();
        Tensor x = new PhiloxNoise(1, [default]).Draw(NoiseRole.Step, 1, 1_000_000);
        Assert.Equal(0, x.mean().item<float>(), 3e-3);
        Assert.Equal(1, x.std().item<float>(), 3e-3);
        Assert.Equal(3, x.pow(4).mean().item<float>(), 3e-2);
    }
}
