using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class AdmUNetTests
{
    private static readonly AdmUNetConfig Small = new() { ModelChannels = 32, NumResBlocks = 1, ChannelMult = [1, 2], UseScaleShiftNorm = true, ResblockUpdown = true };

    [Fact]
    public void An_initialised_network_returns_zero_as_published()
    {
        using ComputeScope scope = new();
        using AdmUNet network = new(Small);
        network.Initialize(1);
        Assert.Equal(0, network.Forward(torch.ones(1, 3, 8, 8), torch.tensor([3f])).abs().max().item<float>());
    }

    [Fact]
    public void Initialisation_depends_on_the_seed_and_the_name_only()
    {
        using ComputeScope scope = new();
        using AdmUNet a = new(Small), b = new(Small), c = new(Small);
        a.Initialize(1);
        b.Initialize(1);
        c.Initialize(2);
        Tensor Weight(AdmUNet network) => network.Parameters.Single(p => p.Name == "input_blocks.1.0.in_layers.2.weight").Value;
        Assert.True(Weight(a).eq(Weight(b)).all().item<bool>());
        Assert.False(Weight(a).eq(Weight(c)).any().item<bool>());
        double bound = 1 / Math.Sqrt(32 * 9);
        Assert.InRange(Weight(a).abs().max().item<float>(), 0.95 * bound, bound);
        Assert.Equal(bound / Math.Sqrt(3), Weight(a).std().item<float>(), 0.03 * bound);
    }

    [Fact]
    public void Gradients_reach_weights_that_are_views_of_one_flat_leaf()
    {
        using ComputeScope scope = new();
        using AdmUNet network = new(Small, new ComputePolicy());
        network.Initialize(3);
        Tensor flat = torch.cat([.. network.Parameters.Select(p => p.Value.flatten())]);
        // Random values everywhere: published initialisation would block gradients behind zeros.
        flat = flat + 0.02 * torch.arange(flat.numel()).sin();
        Tensor x = torch.arange(2 * 3 * 16 * 16).reshape(2, 3, 16, 16).cos(), t = torch.tensor([10f, 500f]);
        using (torch.enable_grad())
        {
            Tensor leaf = flat.detach().requires_grad_();
            Tensor[] pieces = leaf.split([.. network.Parameters.Select(p => p.Value.numel())]);
            foreach ((var parameter, Tensor piece) in network.Parameters.Zip(pieces)) parameter.Value = piece.view(parameter.Shape);
            Tensor loss = network.Forward(x, t).square().mean();
            Tensor gradient = torch.autograd.grad([loss], [leaf])[0];
            Assert.True(gradient.isfinite().all().item<bool>());
            // One direction by finite differences.
            Tensor direction = gradient / gradient.norm();
            double Loss(double step)
            {
                using IDisposable _ = torch.no_grad();
                Tensor moved = leaf.detach() + step * direction;
                Tensor[] parts = moved.split([.. network.Parameters.Select(p => p.Value.numel())]);
                foreach ((var parameter, Tensor part) in network.Parameters.Zip(parts)) parameter.Value = part.view(parameter.Shape);
                return network.Forward(x, t).square().mean().item<float>();
            }
            const double Step = 1e-3;
            double slope = (Loss(Step) - Loss(-Step)) / (2 * Step);
            Assert.Equal(gradient.norm().item<float>(), slope, 0.02 * Math.Abs(slope));
        }
    }

    [Fact]
    public void Two_networks_may_share_storage()
    {
        using ComputeScope scope = new();
        using AdmUNet first = new(Small), second = new(Small);
        first.Initialize(4);
        foreach ((var from, var to) in first.Parameters.Zip(second.Parameters)) to.Value = from.Value.alias();
        using (torch.no_grad()) first.Parameters.Single(p => p.Name == "out.2.bias").Value.fill_(0.5);
        Assert.Equal(0.5f, second.Forward(torch.zeros(1, 3, 8, 8), torch.tensor([0f])).max().item<float>());
    }

    [Theory]
    [InlineData(new double[] { 1.5, 1 }, "multiples of 32")]
    [InlineData(new double[0], "levels")]
    public void Impossible_widths_are_named(double[] multipliers, string expected)
        => Assert.Contains(expected, Assert.Throws<ArgumentException>(() => new AdmUNet(Small with { ChannelMult = multipliers })).Message);

    [Fact]
    public void Sizes_and_labels_that_do_not_fit_are_named()
    {
        using ComputeScope scope = new();
        using AdmUNet network = new(Small);
        network.Initialize(1);
        Assert.Contains("multiples of 2", Assert.Throws<ArgumentException>(() => network.Forward(torch.zeros(1, 3, 7, 8), torch.zeros(1))).Message);
        Assert.Contains("no classes", Assert.Throws<ArgumentException>(() => network.Forward(torch.zeros(1, 3, 8, 8), torch.zeros(1), torch.zeros(1, dtype: ScalarType.Int64))).Message);
    }
}
