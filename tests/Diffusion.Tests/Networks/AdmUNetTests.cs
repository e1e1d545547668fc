using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class AdmUNetTests
{
    private static readonly AdmUNetConfig Small = new()
    {
        ModelChannels = 32,
        NumResBlocks = 1,
        ChannelMult = [1, 2],
        UseScaleShiftNorm = true,
        ResblockUpdown = true,
    };

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
        using AdmUNet a = new(Small),
            b = new(Small),
            c = new(Small);
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
        Tensor x = torch.arange(2 * 3 * 16 * 16).reshape(2, 3, 16, 16).cos(),
            t = torch.tensor([10f, 500f]);
        using (torch.enable_grad())
        {
            Tensor leaf = flat.detach().requires_grad_();
            Tensor[] pieces = leaf.split([.. network.Parameters.Select(p => p.Value.numel())]);
            foreach ((var parameter, Tensor piece) in network.Parameters.Zip(pieces))
                parameter.Value = piece.view(parameter.Shape);
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
                foreach ((var parameter, Tensor part) in network.Parameters.Zip(parts))
                    parameter.Value = part.view(parameter.Shape);
                return network.Forward(x, t).square().mean().item<float>();
            }
            const double Step = 1e-3;
            double slope = (Loss(Step) - Loss(-Step)) / (2 * Step);
            Assert.Equal(gradient.norm().item<float>(), slope, 0.02 * Math.Abs(slope));
        }
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(2, 2, true)]
    [InlineData(2, 1, false)]
    [InlineData(3, 1, true)]
    public void Without_norms_over_the_picture_and_attention_the_receptive_field_is_finite(int patch, int blocks, bool resblocks)
    {
        using ComputeScope scope = new();
        AdmUNetConfig config = Small with
        {
            NumResBlocks = blocks,
            PatchSize = patch,
            ResblockUpdown = resblocks,
            PixelNorm = true,
            MiddleAttention = false,
        };
        using AdmUNet network = Filled(config);
        int field = config.ReceptiveField!.Value,
            radius = field / 2,
            side = (2 * field + 40) / network.SizeMultiple * network.SizeMultiple;
        Tensor x = torch.arange(3L * side * side).reshape(1, 3, side, side).sin(),
            t = torch.tensor([100f]);
        int at = side / 2 + 1,
            reached = 0;
        Tensor y = network.Forward(x, t);
        for (int offset = 0; offset < network.SizeMultiple; offset++)
        {
            Tensor touched = x.clone();
            touched[.., .., at + offset, at + offset] += 3;
            Tensor changed = (network.Forward(touched, t) - y).abs().amax([0L, 1L]) > 0;
            long[] rows = changed.any(1).nonzero().data<long>().ToArray();
            reached = (int)Math.Max(reached, Math.Max(at + offset - rows.Min(), rows.Max() - at - offset));
        }
        Assert.InRange(reached, radius / 2, radius);
        Assert.Null((config with { MiddleAttention = true }).ReceptiveField);
        Assert.Null((config with { PixelNorm = false }).ReceptiveField);
    }

    [Fact]
    public void Patches_are_a_network_on_a_picture_of_more_channels()
    {
        using ComputeScope scope = new();
        using AdmUNet patched = Filled(Small with { PatchSize = 2 }),
            whole = Filled(Small with { InChannels = 12, OutChannels = 12 });
        Tensor x = torch.arange(2 * 3 * 16 * 24).reshape(2, 3, 16, 24).cos(),
            t = torch.tensor([10f, 500f]);
        Tensor expected = torch.nn.functional.pixel_shuffle(whole.Forward(torch.nn.functional.pixel_unshuffle(x, 2), t), 2);
        Assert.True(patched.Forward(x, t).eq(expected).all().item<bool>());
        Assert.Throws<ArgumentException>(() => patched.Forward(x[.., .., ..14], t));
    }

    private static AdmUNet Filled(AdmUNetConfig config)
    {
        AdmUNet network = new(config);
        network.Initialize(5);
        foreach (var parameter in network.Parameters)
            parameter.Value = parameter.Value + 0.03 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).sin();
        return network;
    }

    [Fact]
    public void Two_networks_may_share_storage()
    {
        using ComputeScope scope = new();
        using AdmUNet first = new(Small),
            second = new(Small);
        first.Initialize(4);
        foreach ((var from, var to) in first.Parameters.Zip(second.Parameters))
            to.Value = from.Value.alias();
        using (torch.no_grad())
            first.Parameters.Single(p => p.Name == "out.2.bias").Value.fill_(0.5);
        Assert.Equal(0.5f, second.Forward(torch.zeros(1, 3, 8, 8), torch.tensor([0f])).max().item<float>());
    }

    [Theory]
    [InlineData(new double[] { 1.5, 1 }, "multiples of 32")]
    [InlineData(new double[0], "levels")]
    public void Impossible_widths_are_named(double[] multipliers, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => new AdmUNet(Small with { ChannelMult = multipliers })).Message);

    [Fact]
    public void Sizes_and_labels_that_do_not_fit_are_named()
    {
        using ComputeScope scope = new();
        using AdmUNet network = new(Small);
        network.Initialize(1);
        Assert.Contains(
            "multiples of 2",
            Assert.Throws<ArgumentException>(() => network.Forward(torch.zeros(1, 3, 7, 8), torch.zeros(1))).Message
        );
        Assert.Contains(
            "no classes",
            Assert
                .Throws<ArgumentException>(() =>
                    network.Forward(torch.zeros(1, 3, 8, 8), torch.zeros(1), torch.zeros(1, dtype: ScalarType.Int64))
                )
                .Message
        );
    }
}
