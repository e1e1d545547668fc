using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class FaceUNetTests
{
    internal static FaceUNetConfig Tiny { get; } =
        new()
        {
            Side = 32,
            Widths = [16, 32],
            AttentiveLevels = 1,
            HeadWidth = 16,
            Glance = 2,
            TokenWidths = [8, 16],
            Codes = 32,
            CodeWidth = 4,
            Context = 16,
        };

    [Fact]
    public void Before_any_training_it_changes_nothing()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New(disturbed: false);
        Tensor face = Face(1);
        Assert.True(network.Restore(face).equal(face).all().item<bool>());
    }

    [Fact]
    public void It_looks_at_the_tokens_and_zeros_are_none()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New();
        Tensor face = Face(1),
            codes = network.Embedder.Quantize(network.Embedder.Encode(face)),
            context = network.Context(codes);
        Assert.Equal([1, 64, 16], context.shape);
        Tensor restored = network.Forward(face, context),
            blind = network.Forward(face, torch.zeros_like(context));
        Assert.True((restored - network.Restore(face)).abs().max().item<float>() == 0);
        Assert.True((restored - blind).abs().max().item<float>() > 1e-5);
        // One blank token says as little as many.
        Assert.True((blind - network.Forward(face, torch.zeros(1, 1, 16))).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void A_placed_token_is_added_where_it_lies()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New(Tiny with { PlacedTokens = true });
        // Only the placing is left of what the UNet does with tokens: the transformers give nothing, all blocks pass on.
        foreach (Parameter parameter in network.Parameters)
            if (parameter.Name.Contains("proj_out") || parameter.Name.Contains("conv2"))
                parameter.Value = torch.zeros_like(parameter.Value);
        Tensor face = Face(1),
            blank = torch.zeros(1, 64, 16),
            one = blank.clone();
        one[0, 8 * 1 + 6] = torch.ones(16);
        Tensor change = (network.Forward(face, one) - network.Forward(face, blank)).abs().sum([0, 1]);
        // Row 1, column 6 of 8 of 32 pixels; what reaches farther comes through norms and is small.
        Assert.True(
            change.narrow(0, 2, 8).narrow(1, 22, 8).mean().item<float>()
                > 3 * change.narrow(0, 16, 16).narrow(1, 0, 16).mean().item<float>()
        );
        Assert.True((network.Forward(face, blank) - network.Forward(face, torch.zeros(1, 1, 16))).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Codes_in_equal_use_are_not_idle_and_idle_ones_are_drawn_to_latents()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New();
        Parameter codes = network.Parameters.Single(p => p.Name == "embedder.codes.weight");
        Tensor z = network.Embedder.Encode(Face(2));
        Tensor Idle(Tensor values)
        {
            codes.Value = values;
            return network.Embedder.Idleness(z);
        }
        Assert.Equal(0, Idle(torch.zeros(32, 4)).item<float>(), 1e-4);
        using var grad = torch.enable_grad();
        Tensor far = torch.cat([torch.zeros(1, 4), 4 + torch.zeros(31, 4)]).requires_grad_();
        Tensor idle = Idle(far);
        Assert.True(idle.item<float>() > 1);
        Tensor step = -torch.autograd.grad([idle], [far])[0];
        Assert.True(step[5].sum().item<float>() < 0, "codes that lie too high are not drawn down");
    }

    [Fact]
    public void Every_position_takes_its_nearest_code()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New();
        Tensor z = network.Embedder.Encode(Face(2));
        Tensor codes = network.Parameters.Single(p => p.Name == "embedder.codes.weight").Value;
        long[] nearest = network.Embedder.Nearest(z).data<long>().ToArray();
        float[] expected = codes.data<float>().ToArray(),
            latents = ChannelsLast.Rows(z).contiguous().data<float>().ToArray();
        for (int p = 0; p < nearest.Length; p++)
        {
            double Distance(long code) => Enumerable.Range(0, 4).Sum(c => Math.Pow(latents[4 * p + c] - expected[4 * code + c], 2));
            Assert.Equal(Enumerable.Range(0, 32).Min(code => Distance(code)), Distance(nearest[p]), 1e-5);
        }
        Assert.True(nearest.Distinct().Count() > 8);
    }

    [Fact]
    public void Faces_of_a_batch_do_not_see_each_other()
    {
        using ComputeScope scope = new();
        using FaceUNet network = New();
        Tensor both = network.Restore(torch.cat([Face(1), Face(2)])),
            first = network.Restore(Face(1));
        Assert.True((both.narrow(0, 0, 1) - first).abs().max().item<float>() < 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Names_and_shapes_show_the_configuration(bool placed)
    {
        FaceUNetConfig config = Tiny with { PlacedTokens = placed };
        using FaceUNet network = new(config);
        ShapeTable shapes = new(network.Parameters.Select(p => KeyValuePair.Create(p.Name, (IReadOnlyList<long>)p.Shape)), "");
        FaceUNetFamily family = new();
        JsonObject shown = family.Recognize(shapes)!;
        Assert.True(JsonNode.DeepEquals(FaceUNetConfig.Keys.Write(config, onlyShown: true), shown), shown.ToJsonString());
    }

    [Fact]
    public void What_is_no_face_of_its_size_is_refused()
    {
        using FaceUNet network = New();
        using Tensor large = torch.zeros(1, 3, 64, 64),
            context = torch.zeros(1, 1, 16);
        Assert.Throws<ArgumentException>(() => network.Forward(large, context));
        Assert.Throws<ArgumentException>(() => new FaceUNet(Tiny with { Side = 30 }));
        Assert.Throws<ArgumentException>(() => new FaceUNet(Tiny with { HeadWidth = 24 }));
    }

    private static FaceUNet New(FaceUNetConfig? config = null, bool disturbed = true)
    {
        FaceUNet network = new(config ?? Tiny);
        network.Initialize(5);
        if (disturbed)
            foreach (Parameter parameter in network.Parameters)
                parameter.Value = parameter.Value + 0.05 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).cos();
        return network;
    }

    private static Tensor Face(int seed)
    {
        Tensor x = torch.linspace(-1, 1, 32),
            y = x.unsqueeze(1);
        return torch.stack([(3 * x + seed * y).sin(), (5 * x * y + seed).cos(), (x - y * seed).sin()]).unsqueeze(0);
    }
}
