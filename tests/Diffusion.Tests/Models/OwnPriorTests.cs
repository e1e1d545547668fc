using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Models;

/// <summary>Priors as people train them themselves: the files that diffusers, denoising_diffusion_pytorch and KAIR leave.</summary>
public sealed class OwnPriorTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ComputeScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _scratch.Dispose();
    }

    public static TheoryData<string> Manifests =>
        [
            .. TestPaths
                .ParityRoots.Select(root => Path.Combine(root, "manifests-priors"))
                .Where(Directory.Exists)
                .SelectMany(folder => Directory.GetFiles(folder, "*.json"))
                .DistinctBy(Path.GetFileName)
                .DefaultIfEmpty(""),
        ];

    [Theory, MemberData(nameof(Manifests))]
    public void A_published_file_is_recognised_and_fits(string path)
    {
        if (path.Length == 0)
            ParityCase.Open("");
        JsonObject manifest = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        using MemoryCheckpoint file = MemoryCheckpoint.FromManifest(manifest, path: _scratch.At("mine.pt"));
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(file)!;
        JsonObject config = identity.RequireCard()["config"]!.AsObject();
        using Network network = identity.Family.Create(config, null);
        LoadReport report = StateDictLoader.Compare(network.Parameters, file);
        Assert.True(report.Fits, report.Summary);
        Assert.Equal(
            (long)manifest["config"]!["parameters"]!,
            network
                .Parameters.Where(parameter => !parameter.Name.Contains("running_", StringComparison.Ordinal))
                .Sum(parameter => parameter.Shape.Aggregate(1L, (a, b) => a * b))
        );
        if (manifest["config"]!["unet"] is not JsonObject published)
            return;
        foreach ((string key, JsonNode? value) in published)
            if (identity.Family.Kind == "lucidrains-unet" && config[key] is { } or JsonArray)
                Assert.Equal(value!.ToJsonString(), config[key]!.ToJsonString());
        if (identity.Family.Kind == "lucidrains-unet")
            Assert.Equal("ema.ema_model.model.", identity.Prefix);
    }

    [
        Theory,
        InlineData("dncnn_color_blind.pth", 0, 55),
        InlineData("dncnn_gray_blind.pth", 0, 55),
        InlineData("dncnn3.pth", 0, 55),
        InlineData("dncnn_15.pth", 15, 15),
        InlineData("dncnn_50.pth", 50, 50),
        InlineData("ircnn_gray.pth", 2, 50),
        InlineData("fdncnn_color_clip.pth", 0, 75),
        InlineData("ffdnet_gray.pth", 0, 75)
    ]
    public void A_file_of_KAIR_has_its_noise_levels_by_its_name(string name, double least, double most)
    {
        CatalogEntry entry = CheckpointCatalog.Default.Find(name)!;
        using Network network = NetworkCatalog.BuiltIn.Find(entry.Architecture.Kind).Create(entry.Architecture.Config, null);
        network.Initialize(1);
        string file = _scratch.File(name, PyTorchFile.Zip(Values(network)));
        using IDenoiser prior = PriorLoader.Load(file, ComputePolicy.Reference);
        Assert.Equal(2 * least / 255, prior.Info.NoiseRange.Min, 1e-4);
        Assert.Equal(2 * most / 255, prior.Info.NoiseRange.Max, 1e-4);
        Assert.Equal(entry.Parameters, network.Parameters.Sum(parameter => parameter.Value.numel()));
        Tensor x = PhotoPrior.Noise(1, prior.Info.Channels, 9, 11);
        Assert.Equal(x.shape, prior.Denoise(x, 0.2).shape);
    }

    [Fact]
    public void A_renamed_denoiser_of_one_level_is_taken_for_blind_and_this_is_said()
    {
        using DnCnn network = new(new DnCnnConfig(1, 1, 64, 17));
        network.Initialize(1);
        string file = _scratch.File("mine.pth", PyTorchFile.Zip(Values(network)));
        using IDenoiser prior = PriorLoader.Load(file, ComputePolicy.Reference);
        string note = Assert.Single(prior.Info.Notes);
        Assert.Contains("blind", note);
        Assert.Contains("dncnn_25.pth", note);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 12)];

    [Theory, MemberData(nameof(Seeds))]
    public void A_random_denoiser_loads_by_its_shapes(int seed)
    {
        Random random = new(seed);
        int channels = random.Next(2) == 0 ? 3 : 1,
            layers = random.Next(3, 7),
            width = 4 * random.Next(1, 5);
        using DenoisingNetwork network = (seed % 4) switch
        {
            0 => new DnCnn(new DnCnnConfig(channels, channels, width, layers, (StackNumbering)random.Next(3))),
            1 => new DnCnn(new DnCnnConfig(channels + 1, channels, width, layers)),
            2 => new FfdNet(new FfdNetConfig(channels, width, layers)),
            _ => new Ircnn(new IrcnnConfig(channels, width, random.Next(2) == 0 ? 1 : 5)),
        };
        network.Initialize((ulong)seed);
        network.Arrange();
        string file = _scratch.File("mine.pth", PyTorchFile.Zip(Prefixed("params.", Values(network))));
        using IDenoiser prior = PriorLoader.Load(file, ComputePolicy.Reference);
        Tensor x = PhotoPrior.Noise(1, channels, 8, 10);
        TensorAssert.Close("x0", 2 * network.Denoise((x + 1) / 2, 0.07) - 1, prior.Denoise(x, 0.14), 1e-6, 0);
    }

    [Theory, MemberData(nameof(Seeds))]
    public void A_random_checkpoint_of_denoising_diffusion_pytorch_loads_with_its_averages_and_tables(int seed)
    {
        Random random = new(seed);
        string[] versions = ["2.3.1", "1.11.1", "1.8.15", "1.7.4", "1.7.1", "1.6.4", "0.1.3"];
        LucidrainsVersion version = new(versions[seed % versions.Length]);
        int[] multiples = random.Next(2) == 0 ? [1, 2] : [1, 2, 4];
        LucidrainsUNetConfig config = new()
        {
            Version = version,
            Dim = 16,
            InitDim = random.Next(2) == 0 ? 24 : null,
            DimMults = multiples,
            Channels = random.Next(2) == 0 ? 3 : 1,
            SelfCondition = version.PlainNames && random.Next(2) == 0,
            Heads = version.Memory ? [.. multiples.Select(_ => random.Next(1, 4))] : [.. multiples.Select(_ => 4)],
            HeadDim = [.. multiples.Select(_ => 8)],
            FullAttention = [.. multiples.Select(_ => version.PlainNames && random.Next(2) == 0)],
        };
        config = config with { OutDim = random.Next(3) == 0 && !config.SelfCondition ? 2 * config.Channels : null };
        if (version.Memory)
            // The middle has the last level's heads.
            config = config with { HeadDim = [.. multiples.Select(_ => 4 * random.Next(1, 4))] };
        Prediction prediction = new[] { Prediction.Epsilon, Prediction.X0, Prediction.V }[seed % 3];
        NoiseSchedule schedule = NoiseSchedule.Cosine(100);
        using LucidrainsUNet network = new(config),
            raw = new(config);
        network.Initialize((ulong)seed);
        raw.Initialize((ulong)seed + 100);
        network.Arrange();
        Dictionary<string, Tensor> tensors = new()
        {
            ["ema.initted"] = torch.tensor(true),
            ["model.betas"] = torch.tensor([.. schedule.Betas.Select(beta => (float)beta)]),
        };
        foreach (string place in new[] { "model.", "ema.online_model.", "ema.ema_model." })
        {
            Tensor alphaBar = torch.tensor([.. schedule.AlphaBar.Select(a => (float)a)]),
                ratio = alphaBar / (1 - alphaBar),
                clamped = random.Next(2) == 0 ? ratio : ratio.clamp_max(5);
            tensors[place + "alphas_cumprod"] = alphaBar;
            tensors[place + "loss_weight"] = prediction switch
            {
                Prediction.Epsilon => clamped / ratio,
                Prediction.X0 => clamped,
                _ => clamped / (ratio + 1),
            };
            foreach ((string name, Tensor value) in Values(place == "ema.ema_model." ? network : raw))
                tensors[$"{place}model.{name}"] = value;
        }
        string file = _scratch.File("model-3.pt", PyTorchFile.Zip(tensors, ("step", 1000L), ("version", version.Name)));
        using VpPrior prior = (VpPrior)PriorLoader.Load(file, ComputePolicy.Reference);
        Assert.Equal(prediction, prior.Prediction);
        Assert.Equal(100, prior.Schedule.Steps);
        for (int t = 0; t < 100; t++)
            Assert.Equal((double)(float)schedule.AlphaBar[t], prior.Schedule.AlphaBar[t], 1e-9);
        Assert.Equal(
            LucidrainsUNetConfig.Keys.Write(config).ToJsonString(),
            LucidrainsUNetConfig.Keys.Write(((LucidrainsUNet)prior.Network).Config).ToJsonString()
        );
        int side = 2 * network.SizeMultiple;
        Tensor x = PhotoPrior.Noise(1, config.Channels, side, side),
            time = torch.tensor([60f]);
        TensorAssert.Close("output", network.Forward(x, time), prior.Network.Forward(x, time), 0, 0);
        (Tensor epsilon, Tensor? variance) = prior.Predict(x, 60);
        Assert.Equal(config.OutDim is not null, variance is not null);
        Assert.Equal(x.shape, epsilon.shape);

        CheckpointConverter.ToSafetensors(file, _scratch.At("converted.safetensors"));
        using VpPrior again = (VpPrior)PriorLoader.Load(_scratch.At("converted.safetensors"), ComputePolicy.Reference);
        Assert.Equal(prior.Schedule.AlphaBar, again.Schedule.AlphaBar);
        TensorAssert.Close("converted", prior.Denoise(x, 1), again.Denoise(x, 1), 0, 0);
    }

    [Fact]
    public void A_plain_state_dict_of_a_Unet_says_what_is_assumed()
    {
        using LucidrainsUNet network = new(new LucidrainsUNetConfig { Dim = 16, DimMults = [1, 2] });
        network.Initialize(1);
        using VpPrior prior = (VpPrior)
            PriorLoader.Load(_scratch.File("unet.pt", PyTorchFile.Zip(Values(network))), ComputePolicy.Reference);
        Assert.Equal(Prediction.V, prior.Prediction);
        Assert.Equal(NoiseSchedule.Sigmoid(1000).AlphaBar, prior.Schedule.AlphaBar);
        Assert.Contains("the sigmoid schedule of 1000 steps", Assert.Single(prior.Info.Notes));
    }

    [Fact]
    public void What_cannot_be_built_without_a_card_does_not_speak_of_one_to_correct()
    {
        using LucidrainsUNet network = new(new LucidrainsUNetConfig { Dim = 16, DimMults = [1, 2] });
        network.Initialize(1);
        Dictionary<string, Tensor> weights = new(Values(network)) { ["time_mlp.0.weights"] = torch.zeros(8) };
        string file = _scratch.File("fourier.pt", PyTorchFile.Zip(weights));
        string message = Assert.Throws<CheckpointException>(() => PriorLoader.Load(file, ComputePolicy.Reference)).Message;
        Assert.Contains("Fourier", message);
        Assert.DoesNotContain("Correct", message);
    }

    internal static Dictionary<string, Tensor> Values(Network network) =>
        network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.contiguous());

    private static Dictionary<string, Tensor> Prefixed(string prefix, IReadOnlyDictionary<string, Tensor> tensors) =>
        tensors.ToDictionary(pair => prefix + pair.Key, pair => pair.Value);
}
