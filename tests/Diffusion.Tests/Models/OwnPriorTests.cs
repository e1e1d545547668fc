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
    public void A_random_folder_of_diffusers_loads_and_computes_what_it_did(int seed)
    {
        Random random = new(seed);
        UNet2DConfig config = Draw(random);
        using UNet2D network = new(config);
        network.Initialize((ulong)seed);
        network.Arrange();
        string[] predictions = ["epsilon", "sample", "v_prediction"],
            schedules = ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"];
        JsonObject scheduler = new()
        {
            ["_class_name"] = "DDPMScheduler",
            ["num_train_timesteps"] = 200,
            ["beta_start"] = 0.0002,
            ["beta_end"] = 0.03,
            ["beta_schedule"] = schedules[random.Next(4)],
            ["prediction_type"] = predictions[seed % 3],
            ["clip_sample"] = true,
        };
        string folder = Folder(
            config,
            scheduler,
            Values(network),
            (seed % 4) switch
            {
                0 => "",
                1 => "unet",
                2 => "unet_ema",
                _ => "deep/unet",
            }
        );
        using VpPrior prior = (VpPrior)PriorLoader.Load(folder, ComputePolicy.Reference);
        (NoiseSchedule schedule, Prediction prediction) = DiffusersSchedule.Read(scheduler);
        Assert.Equal(schedule.AlphaBar, prior.Schedule.AlphaBar);
        Assert.Equal(prediction, prior.Prediction);
        Assert.Contains("scheduler_config.json", Assert.Single(prior.Info.Notes));
        Assert.Equal(
            UNet2DConfig.Keys.Write(config).ToJsonString(),
            UNet2DConfig.Keys.Write(((UNet2D)prior.Network).Config).ToJsonString()
        );
        int side = 2 * network.SizeMultiple,
            time = 120;
        double alphaBar = schedule.AlphaBar[time];
        Tensor xt = PhotoPrior.Noise(1, config.InChannels, side, side),
            output = network.Forward(xt, torch.tensor([(float)time]));
        Assert.True(output.abs().max().item<float>() > 1e-3);
        TensorAssert.Close(
            "x0",
            Predictions.X0(prediction, xt, output, alphaBar),
            prior.Denoise(xt / Math.Sqrt(alphaBar), Math.Sqrt((1 - alphaBar) / alphaBar)),
            1e-4,
            1e-4
        );

        string converted = _scratch.At("converted.safetensors"),
            weights = PriorFiles.Find(folder).Weights;
        CheckpointConverter.ToSafetensors(weights, converted);
        using VpPrior again = (VpPrior)PriorLoader.Load(converted, ComputePolicy.Reference);
        Assert.Equal(prior.Schedule.AlphaBar, again.Schedule.AlphaBar);
        Assert.Equal(prior.Prediction, again.Prediction);
        TensorAssert.Close("converted", prior.Denoise(xt, 1), again.Denoise(xt, 1), 0, 0);
    }

    [Fact]
    public void Weights_of_diffusers_without_their_configuration_say_what_is_assumed()
    {
        UNet2DConfig early = new()
        {
            BlockOutChannels = [32, 64],
            DownAttention = [false, true],
            UpAttention = [true, false],
            AttentionHeadDim = null,
            EarlyNames = true,
            DownsamplePadding = 0,
            CosineFirst = false,
            FrequencyShift = 1,
            NormEpsilon = 1e-6,
        };
        foreach (
            UNet2DConfig config in new[]
            {
                early,
                new UNet2DConfig
                {
                    BlockOutChannels = [32, 64],
                    DownAttention = [false, true],
                    UpAttention = [true, false],
                },
            }
        )
        {
            using UNet2D network = new(config);
            network.Initialize(1);
            SafetensorsWriter.Write(_scratch.At("alone.safetensors"), Values(network), overwrite: true);
            using VpPrior prior = (VpPrior)PriorLoader.Load(_scratch.At("alone.safetensors"), ComputePolicy.Reference);
            Assert.Equal(
                UNet2DConfig.Keys.Write(config).ToJsonString(),
                UNet2DConfig.Keys.Write(((UNet2D)prior.Network).Config).ToJsonString()
            );
            Assert.Contains(config.EarlyNames ? "google's" : "training example", Assert.Single(prior.Info.Notes));
        }
    }

    [
        Theory,
        InlineData("config.json", "down_block_types", """["DownBlock2D","SkipDownBlock2D"]""", "SkipDownBlock2D"),
        InlineData("config.json", "resnet_time_scale_shift", "\"scale_shift\"", "resnet_time_scale_shift"),
        InlineData("config.json", "time_embedding_type", "\"fourier\"", "time_embedding_type is fourier"),
        InlineData("config.json", "num_class_embeds", "10", "num_class_embeds is 10"),
        InlineData("config.json", "norm_num_groups", "5", "norm_num_groups, 5"),
        InlineData("config.json", "_class_name", "\"UNet2DConditionModel\"", "UNet2DConditionModel"),
        InlineData("scheduler_config.json", "beta_schedule", "\"laplace\"", "laplace"),
        InlineData("scheduler_config.json", "beta_schedule", "null", "beta_schedule"),
        InlineData("scheduler_config.json", "prediction_type", "\"flow\"", "prediction_type is flow"),
        InlineData("scheduler_config.json", "beta_end", "\"much\"", "beta_end")
    ]
    public void What_is_not_supported_in_a_folder_is_named_with_the_file(string file, string key, string value, string named)
    {
        UNet2DConfig config = Draw(new Random(3)) with
        {
            BlockOutChannels = [16, 32],
            DownAttention = [false, true],
            UpAttention = [true, false],
        };
        using UNet2D network = new(config);
        network.Initialize(1);
        JsonObject scheduler = new() { ["beta_schedule"] = "linear" };
        string folder = Folder(config, scheduler, Values(network), "");
        string path = Path.Combine(folder, file);
        JsonObject json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json[key] = JsonNode.Parse(value);
        File.WriteAllText(path, json.ToJsonString());
        CheckpointException error = Assert.Throws<CheckpointException>(() => PriorLoader.Load(folder, ComputePolicy.Reference));
        Assert.Contains(named, error.Message);
        Assert.Equal(path, error.Where);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_schedule_that_ends_without_signal_has_a_noise_range_that_ends()
    {
        JsonObject scheduler = new()
        {
            ["beta_schedule"] = "linear",
            ["rescale_betas_zero_snr"] = true,
            ["prediction_type"] = "v_prediction",
        };
        (NoiseSchedule schedule, _) = DiffusersSchedule.Read(scheduler);
        Assert.Equal(0, schedule.AlphaBar[^1], 1e-15);
        Assert.Equal(NoiseSchedule.Linear().AlphaBar[0], schedule.AlphaBar[0], 1e-12);
        UNet2DConfig config = Draw(new Random(5));
        using UNet2D network = new(config);
        network.Initialize(1);
        using IDenoiser prior = PriorLoader.Load(Folder(config, scheduler, Values(network), "unet"), ComputePolicy.Reference);
        Assert.True(double.IsFinite(prior.Info.NoiseRange.Max));
        Tensor x = PhotoPrior.Noise(1, config.InChannels, 16, 16);
        Assert.True(prior.Denoise(x, prior.Info.NoiseRange.Max).isfinite().all().item<bool>());
    }

    [Fact]
    public void A_folder_without_weights_says_which_are_missing()
    {
        Directory.CreateDirectory(_scratch.At("pipeline/unet"));
        File.WriteAllText(_scratch.At("pipeline/unet/config.json"), "{}");
        string message = Assert
            .Throws<CheckpointException>(() => PriorLoader.Load(_scratch.At("pipeline"), ComputePolicy.Reference))
            .Message;
        Assert.Contains("diffusion_pytorch_model.safetensors", message);
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

    private string Folder(UNet2DConfig config, JsonObject scheduler, IReadOnlyDictionary<string, Tensor> weights, string part)
    {
        string root = _scratch.At("pipeline"),
            network = Path.Combine(root, part),
            beside = part is "" ? root : Path.Combine(root, "scheduler");
        Directory.CreateDirectory(network);
        Directory.CreateDirectory(beside);
        JsonObject json = UNet2DConfig.Keys.Write(config);
        json.Remove("attention_names");
        json["_class_name"] = "UNet2DModel";
        json["sample_size"] = new JsonArray(16, config.SampleSize);
        File.WriteAllText(Path.Combine(network, "config.json"), json.ToJsonString());
        File.WriteAllText(Path.Combine(beside, "scheduler_config.json"), scheduler.ToJsonString());
        if (config.EarlyNames)
            File.WriteAllBytes(Path.Combine(network, "diffusion_pytorch_model.bin"), PyTorchFile.Zip(weights));
        else
            SafetensorsWriter.Write(Path.Combine(network, "diffusion_pytorch_model.fp32.safetensors"), weights);
        return part.StartsWith("deep", StringComparison.Ordinal) ? Path.GetDirectoryName(network)! : root;
    }

    private static UNet2DConfig Draw(Random random)
    {
        int levels = random.Next(1, 4),
            groups = 1 << random.Next(1, 4);
        UNet2DConfig drawn = new()
        {
            SampleSize = 64,
            InChannels = random.Next(2) == 0 ? 3 : 1,
            BlockOutChannels = [.. Enumerable.Range(0, levels).Select(_ => 8 * random.Next(1, 4))],
            LayersPerBlock = random.Next(1, 3),
            DownAttention = [.. Enumerable.Range(0, levels).Select(_ => random.Next(2) == 0)],
            UpAttention = [.. Enumerable.Range(0, levels).Select(_ => random.Next(2) == 0)],
            MiddleAttention = random.Next(4) > 0,
            AttentionHeadDim = random.Next(3) == 0 ? null : 4,
            NormGroups = groups,
            NormEpsilon = random.Next(2) == 0 ? 1e-5 : 1e-6,
            DownsamplePadding = random.Next(2),
            CosineFirst = random.Next(2) == 0,
            FrequencyShift = random.Next(2),
            CenterInput = random.Next(3) == 0,
            MiddleScale = random.Next(2) == 0 ? 1 : 1.5,
        };
        // Only attention has names that tell early files from later ones.
        bool attends = drawn.DownAttention.Concat(drawn.UpAttention).Append(drawn.MiddleAttention).Contains(true);
        return drawn with { OutChannels = drawn.InChannels, EarlyNames = attends && random.Next(2) == 0 };
    }

    private static Dictionary<string, Tensor> Values(Network network) =>
        network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.contiguous());

    private static Dictionary<string, Tensor> Prefixed(string prefix, IReadOnlyDictionary<string, Tensor> tensors) =>
        tensors.ToDictionary(pair => prefix + pair.Key, pair => pair.Value);
}
