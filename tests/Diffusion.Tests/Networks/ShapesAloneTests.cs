using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Models;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

/// <summary>Networks that no catalogue lists, as files of weights under published names and nothing else.</summary>
public sealed class ShapesAloneTests
{
    public static TheoryData<string, int> Random =>
        [
            .. from kind in new[] { AdmUNetFamily.Name, ConsistencyUNetFamily.Name }
            from seed in Enumerable.Range(0, 16)
            select new TheoryDataRow<string, int>(kind, seed),
        ];

    [Theory, MemberData(nameof(Random))]
    public void A_random_network_loads_and_computes_what_it_did(string kind, int seed)
    {
        Random random = new(seed);
        NetworkFamily family = NetworkCatalog.BuiltIn.Find(kind);
        AdmUNetConfig config = Draw(random);
        using ComputeScope scope = new();
        using Scratch scratch = new();
        using DiffusionNetwork network = (DiffusionNetwork)family.Create(AdmUNetConfig.Keys.Write(config), ComputePolicy.Reference);
        network.Initialize((ulong)seed);
        string prefix = random.Next(4) switch
        {
            0 => "",
            1 => "state_dict.",
            2 => "ema.",
            _ => "state_dict.model.",
        };
        // The published code begins with a last convolution of zeros: any network would compute the same.
        network.Parameters.Single(parameter => parameter.Name == "out.2.weight").Value.normal_(0, 0.1);
        Dictionary<string, Tensor> weights = network.Parameters.ToDictionary(p => prefix + p.Name, p => p.Value);
        string file = scratch.At("mine.safetensors");
        if (random.Next(2) == 0)
            SafetensorsWriter.Write(file, weights);
        else
            file = scratch.File("mine.pt", PyTorchFile.Zip(weights, ("step", 1L)));

        using NetworkPrior prior = (NetworkPrior)PriorLoader.Load(file, ComputePolicy.Reference);
        Assert.Equal(kind == ConsistencyUNetFamily.Name ? PriorKind.Consistency : PriorKind.PosteriorMean, prior.Info.Kind);
        Assert.Contains("assumed", Assert.Single(prior.Info.Notes));
        JsonObject shown = AdmUNetConfig.Keys.Write(config, onlyShown: true),
            found = AdmUNetConfig.Keys.Write(((AdmUNet)prior.Network).Config, onlyShown: true);
        Assert.Equal(shown.ToJsonString(), found.ToJsonString());
        network.Arrange();
        int side = 2 * network.SizeMultiple;
        Tensor x = PhotoPrior.Noise(1, config.InChannels, side, side),
            t = torch.tensor([300f]);
        Tensor? labels = config.NumClasses is null ? null : torch.tensor([1L]);
        Tensor expected = network.Forward(x, t, labels);
        Assert.True(expected.abs().max().item<float>() > 1e-3);
        TensorAssert.Close("output", expected, prior.Network.Forward(x, t, labels), 0, 0);
    }

    [Theory]
    [InlineData("channel_mult", "[1,true]", "channel_mult is [1,true], not a list of numbers")]
    [InlineData("model_channels", "32.5", "model_channels is 32.5, not a whole number")]
    [InlineData("num_classes", "\"many\"", "num_classes is \"many\", not a whole number")]
    public void A_configuration_that_makes_no_sense_is_named(string key, string value, string expected)
    {
        JsonObject config = AdmUNetConfig.Keys.Write(Draw(new Random(1)));
        config[key] = JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => AdmUNetConfig.Keys.Read(config)).Message);
    }

    [Fact]
    public void A_configuration_is_read_as_it_was_written()
    {
        AdmUNetConfig config = Draw(new Random(2)) with
        {
            NumClasses = 7,
            NumHeadsUpsample = 2,
            UseNewAttentionOrder = true,
            PatchSize = 2,
        };
        JsonObject written = AdmUNetConfig.Keys.Write(config);
        Assert.Equal(written.ToJsonString(), AdmUNetConfig.Keys.Write(AdmUNetConfig.Keys.Read(written)).ToJsonString());
        Assert.Equal(7, (int)written["num_classes"]!);
        Assert.Equal(2, (int)written["num_heads_upsample"]!);
    }

    private static AdmUNetConfig Draw(Random random)
    {
        double[][] ladders =
        [
            [1],
            [1, 2],
            [0.5, 1, 1.5],
            [1, 1.5, 2.5],
            [1, 1, 2],
        ];
        double[] multipliers = ladders[random.Next(ladders.Length)];
        int channels = multipliers.All(m => m * 32 % 32 == 0) ? 32 << random.Next(3) : 64 * random.Next(1, 3);
        bool updown = multipliers.Length > 1 && random.Next(2) == 0;
        int[] attention = [.. Enumerable.Range(0, multipliers.Length).Select(level => 1 << level).Where(_ => random.Next(2) == 0)];
        int blocks = random.Next(3);
        // Without residual blocks the middle is as wide as the first level.
        double middle = blocks > 0 ? multipliers[^1] : multipliers[0];
        int[] widths = [.. multipliers.Where((_, level) => attention.Contains(1 << level)).Append(middle).Select(m => (int)(m * channels))];
        return
            new AdmUNetConfig
            {
                InChannels = random.Next(2) == 0 ? 3 : 1,
                OutChannels = 0,
                ModelChannels = channels,
                NumResBlocks = blocks,
                ChannelMult = multipliers,
                AttentionResolutions = attention,
                NumHeadChannels = widths.All(width => width % 64 == 0) ? 64 : 32,
                NumClasses = random.Next(3) == 0 ? 5 : null,
                ResblockUpdown = updown,
                ConvResample = updown || multipliers.Length == 1 || random.Next(2) == 0,
                UseScaleShiftNorm = random.Next(2) == 0,
            }
                is var drawn
            ? drawn with
            {
                OutChannels = drawn.InChannels * (1 + random.Next(2)),
            }
            : throw new InvalidOperationException();
    }
}
