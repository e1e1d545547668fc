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

/// <summary>Folders as diffusers writes them for unconditional networks: weights, configuration and scheduler.</summary>
public sealed class DiffusersFolderTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ComputeScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _scratch.Dispose();
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 12)];

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
            OwnPriorTests.Values(network),
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
            SafetensorsWriter.Write(_scratch.At("alone.safetensors"), OwnPriorTests.Values(network), overwrite: true);
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
        string folder = Folder(config, scheduler, OwnPriorTests.Values(network), "");
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
        using IDenoiser prior = PriorLoader.Load(Folder(config, scheduler, OwnPriorTests.Values(network), "unet"), ComputePolicy.Reference);
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
}
