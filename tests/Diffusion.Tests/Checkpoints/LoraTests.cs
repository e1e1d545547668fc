using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Checkpoints;

public sealed class LoraTests
{
    private static readonly Dictionary<string, long[]> Base = new()
    {
        ["a.to_q.weight"] = [6, 4],
        ["a.to_q.bias"] = [6],
        ["conv.weight"] = [5, 3, 3, 3],
    };

    private static readonly Dictionary<string, long[]> Both = new()
    {
        ["unet.a.to_q.lora.down.weight"] = [2, 4],
        ["unet.a.to_q.lora.up.weight"] = [6, 2],
        ["unet.conv.lora_A.weight"] = [2, 3, 3, 3],
        ["unet.conv.lora_B.weight"] = [5, 2, 1, 1],
    };

    [Theory, InlineData(null, 1), InlineData(1.0, 0.5)]
    public void Updates_of_both_styles_are_added(double? alpha, double factor)
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        Dictionary<string, Tensor> weights = Random(Base, 1),
            updates = Random(Both, 2);
        using ICheckpoint file = Written(scratch, "base.safetensors", weights),
            lora = Written(scratch, "lora.safetensors", updates);
        using ICheckpoint merged = new LoraUpdates(lora, "unet.", alpha).Merge(file);
        Assert.Equal(file.Tensors.Keys, merged.Tensors.Keys);
        Tensor q =
                weights["a.to_q.weight"]
                + factor * torch.matmul(updates["unet.a.to_q.lora.up.weight"], updates["unet.a.to_q.lora.down.weight"]),
            conv = weights["conv.weight"].clone();
        for (int r = 0; r < 2; r++)
            conv = conv + factor * updates["unet.conv.lora_B.weight"].narrow(1, r, 1) * updates["unet.conv.lora_A.weight"].narrow(0, r, 1);
        TensorAssert.Close("to_q", q, merged.Tensors["a.to_q.weight"].Read(), 1e-6, 1e-6);
        TensorAssert.Close("conv", conv, merged.Tensors["conv.weight"].Read(), 1e-6, 1e-6);
        TensorAssert.Close("bias", weights["a.to_q.bias"], merged.Tensors["a.to_q.bias"].Read(), 0, 0);
    }

    [Theory]
    [InlineData("unet.a.to_q.lora.up.weight", null, "only half of one")]
    [InlineData("unet.a.to_k.lora.down.weight", "2,4", "only half of one")]
    [InlineData("unet.a.to_q.bias", "6", "no LoRA updates")]
    [InlineData("unet.a.to_q.lora.up.weight", "7,2", "but the weight is [6,4]")]
    [InlineData("unet.conv.lora_B.weight", "5,3,1,1", "but the weight is [5,3,3,3]")]
    [InlineData("unet.conv.lora_A.weight", "2,9,3,1", "but the weight is [5,3,3,3]")]
    public void What_does_not_fit_is_refused(string name, string? shape, string expected)
    {
        using ComputeScope scope = new();
        Dictionary<string, long[]> shapes = new(Both);
        if (shape is null)
            shapes.Remove(name);
        else
            shapes[name] = [.. shape.Split(',').Select(long.Parse)];
        CheckpointException error = Assert.Throws<CheckpointException>(() => new LoraUpdates(Memory(shapes), "unet.").Merge(Memory(Base)));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void An_update_of_a_layer_that_is_not_there_is_refused() =>
        Assert.Contains(
            "no layer conv",
            Assert
                .Throws<CheckpointException>(() =>
                    new LoraUpdates(Memory(Both), "unet.").Merge(Memory(Base.Where(pair => pair.Key != "conv.weight").ToDictionary()))
                )
                .Message
        );

    [Fact]
    public void Every_update_that_the_published_face_restorer_may_hold_fits_its_network()
    {
        MemoryCheckpoint updates = Manifest("osdface-lora-possible"),
            unet = Manifest("sd21base-unet-diffusers");
        LoraUpdates lora = new(updates, "unet.");
        Assert.Equal(updates.Tensors.Count / 2, lora.Layers.Count);
        Assert.Equal(unet.Tensors.Keys, lora.Merge(unet).Tensors.Keys);
    }

    [Fact]
    public void The_published_degradation_synthesiser_has_averages_of_its_whole_unet()
    {
        ICheckpoint file = Manifest("gendeg"),
            unet = SubNetwork.In(file, "model.diffusion_model.");
        Assert.Equal(686, unet.Tensors.Count);
        Assert.All(unet.Tensors.Values, entry => Assert.StartsWith("model_ema.diffusion_model", entry.Name));
    }

    private static MemoryCheckpoint Manifest(string name) =>
        MemoryCheckpoint.FromManifest(
            System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(ParityCase.DataFile($"manifests/{name}.json")))!.AsObject()
        );

    [Theory, InlineData(""), InlineData("state_dict.")]
    public void Averages_without_dots_take_the_place_of_the_raw_weights(string root)
    {
        using ComputeScope scope = new();
        ICheckpoint file = new Values([
            (root + "model.diffusion_model.out.0.weight", 1),
            (root + "model.diffusion_model.out.0.bias", 1),
            (root + "model_ema.diffusion_modelout0weight", 2),
            (root + "model_ema.diffusion_modelout0bias", 2),
            (root + "model_ema.decay", 3),
            (root + "first_stage_model.conv.weight", 4),
        ]);
        float Read(string prefix, string name, bool averaged = true) =>
            SubNetwork.In(file, prefix, averaged).Tensors[name].Read().item<float>();
        Assert.Equal(2, Read("model.diffusion_model.", "out.0.weight"));
        Assert.Equal(1, Read("model.diffusion_model.", "out.0.weight", averaged: false));
        Assert.Equal(4, Read("first_stage_model.", "conv.weight"));
        Assert.Equal(["out.0.weight", "out.0.bias"], SubNetwork.In(file, "model.diffusion_model.").Tensors.Keys);
        Assert.Throws<CheckpointException>(() => SubNetwork.In(file, "cond_stage_model."));
    }

    [Fact]
    public void Averages_of_half_a_network_are_refused() =>
        Assert.Contains(
            "1 of the 2",
            Assert
                .Throws<CheckpointException>(() =>
                    SubNetwork.In(new Values([("model.d.a", 1), ("model.d.b", 1), ("model_ema.da", 2)]), "model.d.")
                )
                .Message
        );

    private static MemoryCheckpoint Memory(IReadOnlyDictionary<string, long[]> shapes) =>
        new(shapes.Select(pair => (pair.Key, pair.Value)));

    private static Dictionary<string, Tensor> Random(IReadOnlyDictionary<string, long[]> shapes, ulong seed) =>
        shapes.ToDictionary(
            pair => pair.Key,
            pair => new PhiloxNoise(seed, [ImageKey.FromName(pair.Key)]).Draw(NoiseRole.Start, [1, .. pair.Value])[0]
        );

    private static ICheckpoint Written(Scratch scratch, string name, Dictionary<string, Tensor> tensors)
    {
        SafetensorsWriter.Write(scratch.At(name), tensors);
        return Checkpoint.Open(scratch.At(name));
    }

    private sealed class Values(IEnumerable<(string Name, double Value)> tensors) : ICheckpoint
    {
        public string Path => "values.ckpt";
        public string Format => "memory";
        public IReadOnlyDictionary<string, TensorEntry> Tensors { get; } =
            tensors.ToDictionary(t => t.Name, t => new MemoryCheckpoint([(t.Name, [1L])], t.Value).Tensors[t.Name]);
        public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

        public void Dispose() { }
    }
}
