using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Tests.Faces;

/// <summary>
/// OSDFace in tiny widths as it is published: the networks of the recorded case <c>osdface/pipeline</c> in a bundle's files.
/// </summary>
internal static class TinyFaceBundle
{
    /// <summary>Side of its faces.</summary>
    public const int Side = 32;

    /// <summary>Where Stable Diffusion lies in it.</summary>
    public const string Base = "stable-diffusion-2-1-base";

    /// <summary>Writes the files.</summary>
    /// <param name="caseFolder">The recorded case.</param>
    /// <param name="folder">The bundle; made if it is not there.</param>
    /// <param name="shards">Files for the UNet's weights.</param>
    public static void Write(string caseFolder, string folder, int shards = 1)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(caseFolder, "case.json")))!["config"]!;
        using ICheckpoint recorded = Checkpoint.Open(Path.Combine(caseFolder, "tensors.safetensors"));
        foreach (string part in new[] { "unet", "vae", "scheduler" })
        {
            Directory.CreateDirectory(Path.Combine(folder, Base, part));
            string name = part == "scheduler" ? "scheduler_config.json" : "config.json";
            File.WriteAllText(Path.Combine(folder, Base, part, name), config[part]!.ToJsonString());
        }
        Save(Path.Combine(folder, "associate_2.ckpt"), Part("vre."));
        Save(Path.Combine(folder, "embedding_change_weights.pth"), Part("embedding_change."));
        Save(Path.Combine(folder, "pytorch_lora_weights.safetensors"), Part("lora."));
        const string Stem = "diffusion_pytorch_model";
        Save(Path.Combine(folder, Base, "vae", Stem + ".safetensors"), Part("vae."));
        TensorEntry[] unet = Part("unet.");
        if (shards == 1)
        {
            Save(Path.Combine(folder, Base, "unet", Stem + ".safetensors"), unet);
            return;
        }
        JsonObject map = [];
        for (int i = 0; i < shards; i++)
        {
            string file = FormattableString.Invariant($"{Stem}-{i + 1:00000}-of-{shards:00000}.safetensors");
            TensorEntry[] own = [.. unet.Where((_, k) => k % shards == i)];
            Save(Path.Combine(folder, Base, "unet", file), own);
            foreach (TensorEntry entry in own)
                map[entry.Name] = file;
        }
        File.WriteAllText(
            Path.Combine(folder, Base, "unet", Stem + ".safetensors.index.json"),
            new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString()
        );

        TensorEntry[] Part(string prefix) =>
            [.. new CheckpointView(recorded, "model." + prefix).Tensors.Select(TensorEntry (pair) => new Named(pair.Key, pair.Value))];
    }

    private static void Save(string path, IReadOnlyList<TensorEntry> tensors)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(path, tensors.ToDictionary(entry => entry.Name, entry => entry.Read()));
    }

    private sealed class Named(string name, TensorEntry entry) : TensorEntry
    {
        public override string Name => name;
        public override ScalarType Dtype => entry.Dtype;
        public override IReadOnlyList<long> Shape => entry.Shape;

        public override Tensor Read(ScalarType? dtype = null) => entry.Read(dtype);
    }
}
