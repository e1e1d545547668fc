using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Tests.Checkpoints;

namespace Diffusion.EndToEnd;

/// <summary>Checkpoints that people trained themselves, small and random, through the built command.</summary>
public sealed class OwnPriorTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly ComputeScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _work.Dispose();
    }

    [Fact]
    public void A_folder_of_diffusers_is_inspected_restores_and_is_converted()
    {
        UNet2DConfig config = new()
        {
            BlockOutChannels = [16, 32],
            LayersPerBlock = 1,
            DownAttention = [false, true],
            UpAttention = [true, false],
            NormGroups = 8,
            DownsamplePadding = 0,
        };
        using UNet2D network = new(config);
        string unet = _work["flowers/unet"];
        Directory.CreateDirectory(unet);
        Directory.CreateDirectory(_work["flowers/scheduler"]);
        SafetensorsWriter.Write(Path.Combine(unet, "diffusion_pytorch_model.safetensors"), Random(network));
        JsonObject json = UNet2DConfig.Keys.Write(config);
        json["_class_name"] = "UNet2DModel";
        File.WriteAllText(Path.Combine(unet, "config.json"), json.ToJsonString());
        File.WriteAllText(
            _work["flowers/scheduler/scheduler_config.json"],
            """{"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}"""
        );

        JsonNode told = Inspect("./flowers");
        Assert.Equal(("unet2d", "v", "cosine"), ((string)told["kind"]!, (string)told["prediction"]!, (string)told["schedule"]!["type"]!));
        Run("checkpoints", "verify", "./flowers").Expect(0);
        Run("checkpoints", "convert", "flowers/unet/diffusion_pytorch_model.safetensors", "-o", "one.safetensors").Expect(0);
        Assert.Equal("v", (string)Inspect("one.safetensors")["prediction"]!);
        Assert.Equal(Restore("./flowers"), Restore("one.safetensors"));

        Run("train", "prior", "photo.png", "-o", "mine", "--steps", "1", "--from", "./flowers").ExpectError(2, "./flowers is no ADM UNet");

        byte[] restored = Restore("./flowers");
        File.Delete(Path.Combine(unet, "diffusion_pytorch_model.safetensors"));
        InParts(unet, Random(network));
        Assert.Equal(restored, Restore("./flowers"));
        File.Delete(Path.Combine(unet, "part-2.safetensors"));
        Run("checkpoints", "inspect", "./flowers").ExpectError(1, "part-2.safetensors");

        File.Delete(Path.Combine(unet, "diffusion_pytorch_model.safetensors.index.json"));
        Run("checkpoints", "inspect", "./flowers").ExpectError(1, "config.json", "diffusion_pytorch_model.safetensors");
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_UNet_that_no_catalogue_lists_restores_by_its_shapes(bool consistency)
    {
        AdmUNetConfig config = new()
        {
            ModelChannels = 32,
            NumResBlocks = 1,
            ChannelMult = [1, 3],
            AttentionResolutions = [2],
            NumHeadChannels = 32,
            OutChannels = consistency ? 3 : 6,
        };
        using AdmUNet network = consistency ? new ConsistencyUNet(config) : new AdmUNet(config);
        Dictionary<string, Tensor> weights = Random(network);
        weights["out.2.weight"].normal_(0, 0.05);
        File.WriteAllBytes(_work["mine.pt"], PyTorchFile.Zip(weights, ("epoch", 12L)));
        JsonNode told = Inspect("mine.pt");
        Assert.Equal(consistency ? "consistency" : "epsilon", (string)told["prediction"]!);
        Assert.Contains("are assumed", (string)told["note"]!);
        Assert.Equal("12", (string)told["metadata"]!["epoch"]!);
        Restore("mine.pt");
    }

    [Fact]
    public void A_network_of_one_level_in_half_precision_restores_by_its_shapes()
    {
        AdmUNetConfig config = new()
        {
            ModelChannels = 32,
            NumResBlocks = 1,
            ChannelMult = [1],
            AttentionResolutions = [],
            NumHeadChannels = 32,
            OutChannels = 6,
        };
        using AdmUNet network = new(config);
        Dictionary<string, Tensor> weights = Random(network);
        weights["out.2.weight"].normal_(0, 0.05);
        File.WriteAllBytes(_work["own_model.pt"], PyTorchFile.Zip(weights.ToDictionary(w => w.Key, w => w.Value.to(ScalarType.Float16))));
        JsonNode told = Inspect("own_model.pt");
        Assert.Equal(("adm-unet", "epsilon"), ((string)told["kind"]!, (string)told["prediction"]!));
        Run("checkpoints", "verify", "own_model.pt").Expect(0);
        Restore("own_model.pt");
    }

    [Fact]
    public void Paths_and_partial_functions_beside_the_weights_are_records_that_nobody_calls()
    {
        using DnCnn network = new(new DnCnnConfig(3, 3, 8, 4));
        Dictionary<string, Tensor> weights = Random(network);
        string[] names = [.. weights.Keys];
        Entries state = new([
            .. names.Select(
                (name, i) =>
                    (
                        (object?)("net." + name),
                        (object?)
                            PyTorchFile.View(
                                PyTorchFile.Storage($"{i}", weights[name].numel()),
                                0,
                                weights[name].shape,
                                weights[name].stride()
                            )
                    )
            ),
        ]);
        Entries settings = new(
            ("root", new Call(new Global("pathlib", "PosixPath"), "/", "data")),
            ("windows", new Call(new Global("pathlib", "PureWindowsPath"), "C:\\data")),
            ("optimizer", Partial())
        );
        byte[] file = PyTorchFile.Zip(
            new Entries(("state_dict", state), ("hyper_parameters", settings), ("epoch", 3L)),
            [.. names.Select((name, i) => ($"{i}", weights[name].bytes.ToArray()))]
        );
        File.WriteAllBytes(_work["epoch3.ckpt"], file);
        File.WriteAllBytes(_work["weights.pt"], PyTorchFile.Zip(weights));
        Run("checkpoints", "verify", "epoch3.ckpt").Expect(0);
        Run("checkpoints", "convert", "epoch3.ckpt", "-o", "epoch3.safetensors").Expect(0);
        byte[] wanted = Restore("weights.pt");
        Assert.Equal(wanted, Restore("epoch3.ckpt"));
        Assert.Equal(wanted, Restore("epoch3.safetensors"));
    }

    [Fact]
    public void A_checkpoint_of_denoising_diffusion_pytorch_restores_by_its_averages()
    {
        LucidrainsUNetConfig config = new() { Dim = 16, DimMults = [1, 2] };
        using LucidrainsUNet network = new(config);
        NoiseSchedule schedule = NoiseSchedule.Sigmoid(1000);
        Tensor alphaBar = torch.tensor([.. schedule.AlphaBar.Select(a => (float)a)]);
        Dictionary<string, Tensor> averages = Random(network, 1),
            tensors = new() { ["ema.ema_model.alphas_cumprod"] = alphaBar, ["ema.ema_model.loss_weight"] = alphaBar / (1 - alphaBar) };
        foreach ((string name, Tensor value) in Random(network, 2))
            tensors["ema.online_model.model." + name] = tensors["model.model." + name] = value;
        foreach ((string name, Tensor value) in averages)
            tensors["ema.ema_model.model." + name] = value;
        File.WriteAllBytes(_work["model-3.pt"], PyTorchFile.Zip(tensors, ("step", 3000L), ("version", "2.3.1")));
        JsonNode told = Inspect("model-3.pt");
        Assert.Equal(
            ("lucidrains-unet", "x0", "ema.ema_model.model."),
            ((string)told["kind"]!, (string)told["prediction"]!, (string)told["prefix"]!)
        );
        Assert.Contains("are assumed", (string)told["note"]!);
        byte[] restored = Restore("model-3.pt");

        // The averages alone with their tables are the same prior; the raw weights are another.
        SafetensorsWriter.Write(_work["mean.safetensors"], Beside(averages, tensors));
        SafetensorsWriter.Write(_work["raw.safetensors"], Beside(Random(network, 2), tensors));
        Assert.Equal(restored, Restore("mean.safetensors"));
        Assert.NotEqual(restored, Restore("raw.safetensors"));

        tensors["ema.ema_model.model.time_mlp.0.weights"] = torch.zeros(8);
        File.WriteAllBytes(_work["fourier.pt"], PyTorchFile.Zip(tensors));
        Run([.. Restoring, "--prior", "fourier.pt", "-o", "f.png"]).ExpectError(1, "Fourier", "fourier.pt");
    }

    [Theory, InlineData("dncnn_gray_blind.pth"), InlineData("dncnn_25.pth"), InlineData("ircnn_gray.pth"), InlineData("ffdnet_color.pth")]
    public void A_denoiser_of_KAIR_restores_under_its_published_name(string file)
    {
        using Network network = file.Split('_')[0] switch
        {
            "ircnn" => new Ircnn(new IrcnnConfig(1)),
            "ffdnet" => new FfdNet(new FfdNetConfig()),
            _ => new DnCnn(new DnCnnConfig(1, 1, 64, file.Contains("25", StringComparison.Ordinal) ? 17 : 20)),
        };
        File.WriteAllBytes(_work[file], PyTorchFile.Zip(Random(network)));
        Assert.Equal("x0", (string)Inspect(file)["prediction"]!);
        Restore(file, gray: network is not FfdNet);
    }

    [Fact]
    public void A_whole_pickled_module_is_a_prior_like_its_state_dict()
    {
        using DnCnn network = new(new DnCnnConfig(3, 3, 8, 4, StackNumbering.BatchNorm));
        Dictionary<string, Tensor> weights = Random(network);
        string[] names = [.. weights.Keys];
        (string Key, byte[] Bytes)[] storages = [.. names.Select((name, i) => ($"{i}", weights[name].bytes.ToArray()))];
        Instance Layer(string place) =>
            Module(
                [.. Own(place).Where(one => !Is(one, "running_")).Select(Entry)],
                [.. Own(place).Where(one => Is(one, "running_")).Select(Entry)],
                []
            );
        IEnumerable<string> Own(string place) => names.Where(name => name.StartsWith(place + ".", StringComparison.Ordinal));
        bool Is(string name, string part) => name.Contains(part, StringComparison.Ordinal);
        (object?, object?) Entry(string name) =>
            (
                name.Split('.')[^1],
                PyTorchFile.View(
                    PyTorchFile.Storage($"{Array.IndexOf(names, name)}", weights[name].numel()),
                    0,
                    weights[name].shape,
                    weights[name].stride()
                )
            );
        string[] places = [.. names.Select(name => name[..name.LastIndexOf('.')]).Distinct()];
        object sequence = Module([], [], [.. places.Select(place => ((object?)place.Split('.')[1], (object?)Layer(place)))]);
        File.WriteAllBytes(_work["whole.pt"], PyTorchFile.Zip(Module([], [], [("model", sequence)]), storages));
        File.WriteAllBytes(_work["weights.pt"], PyTorchFile.Zip(weights));
        Assert.Equal(Restore("weights.pt"), Restore("whole.pt"));
    }

    // As save_pretrained writes what is larger than its limit.
    private static void InParts(string folder, Dictionary<string, Tensor> weights)
    {
        JsonObject map = [];
        foreach ((int part, KeyValuePair<string, Tensor>[] some) in weights.Chunk((weights.Count + 1) / 2).Index())
        {
            string file = $"part-{part + 1}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, file), some);
            foreach ((string name, _) in some)
                map[name] = file;
        }
        File.WriteAllText(
            Path.Combine(folder, "diffusion_pytorch_model.safetensors.index.json"),
            new JsonObject { ["weight_map"] = map }.ToJsonString()
        );
    }

    private static string[] Restoring => ["restore", "photo.png", "-A", "downsample:factor=2", "--noise", "0.05", "-n", "3", "--force"];

    private byte[] Restore(string prior, bool gray = false)
    {
        if (!File.Exists(_work["photo.png"]))
            TestPictures.Write(_work["photo.png"], 20, 24, gray);
        JsonNode result = JsonNode.Parse(Run([.. Restoring, "--prior", prior, "-o", "out.png", "--json"]).Expect(0).Output)!;
        Assert.True((int)result["evaluations"]! > 0);
        return File.ReadAllBytes(_work["out.png"]);
    }

    private JsonNode Inspect(string file)
    {
        JsonNode told = JsonNode.Parse(Run("checkpoints", "inspect", file, "--json").Expect(0).Output)!;
        Assert.True((bool)told["usable_as_prior"]!);
        return told;
    }

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_work.Folder, args);

    private static Dictionary<string, Tensor> Random(Network network, ulong seed = 1)
    {
        network.Initialize(seed);
        return network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.clone());
    }

    private static Dictionary<string, Tensor> Beside(Dictionary<string, Tensor> weights, Dictionary<string, Tensor> tensors) =>
        weights
            .Select(pair => KeyValuePair.Create("model." + pair.Key, pair.Value))
            .Append(KeyValuePair.Create("alphas_cumprod", tensors["ema.ema_model.alphas_cumprod"]))
            .Append(KeyValuePair.Create("loss_weight", tensors["ema.ema_model.loss_weight"]))
            .ToDictionary();

    private static Instance Module((object?, object?)[] parameters, (object?, object?)[] buffers, (object?, object?)[] modules) =>
        new(
            new Global("my.nets", "Net"),
            new Entries(
                ("_parameters", new Entries(parameters)),
                ("_buffers", new Entries(buffers)),
                ("_modules", new Entries(modules)),
                ("root", new Call(new Global("pathlib", "PurePosixPath"), "/", "data")),
                ("optimizer", Partial())
            )
        );

    private static Instance Partial() =>
        new(
            new Call(new Global("functools", "partial"), new Global("torch.optim.adam", "Adam")),
            new object?[] { new Global("torch.optim.adam", "Adam"), Array.Empty<object?>(), new Entries(("lr", 1e-4)), null }
        );
}
