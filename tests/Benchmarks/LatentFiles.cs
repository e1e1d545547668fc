using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;

namespace Diffusion.Benchmarks;

/// <summary>OSDFace and Stable Diffusion 2.1-base in full size with random weights, in the files and folders that are published.</summary>
internal static class LatentFiles
{
    private const int Rank = 16;

    private static readonly StableDiffusionUNetConfig UNet = new()
    {
        BlockOutChannels = [320, 640, 1280, 1280],
        DownBlockTypes = StableDiffusionUNetConfig.DownTypes([true, true, true, false]),
        UpBlockTypes = StableDiffusionUNetConfig.UpTypes([false, true, true, true]),
        CrossAttentionDim = 1024,
        Heads = [5, 10, 20, 20],
        UseLinearProjection = true,
        SampleSize = 64,
    };

    private static readonly AutoencoderKLConfig Vae = new() { BlockOutChannels = [128, 256, 512, 512], LayersPerBlock = 2 };

    /// <summary>Writes them; one tensor is in memory at a time.</summary>
    public static void Write(string folder)
    {
        string diffusion = Path.Combine(folder, "stable-diffusion-2-1-base");
        using StableDiffusionUNet unet = new(UNet);
        using AutoencoderKL vae = new(Vae);
        using VisualEmbedder embedder = new(new());
        using EmbeddingChange change = new(new());
        Part(diffusion, "unet", unet, StableDiffusionUNetConfig.Keys.Write(UNet));
        Part(diffusion, "vae", vae, AutoencoderKLConfig.Keys.Write(Vae));
        Json(
            Path.Combine(diffusion, "scheduler", "scheduler_config.json"),
            new JsonObject
            {
                ["beta_schedule"] = "scaled_linear",
                ["beta_start"] = 0.00085,
                ["beta_end"] = 0.012,
                ["prediction_type"] = "epsilon",
            }
        );
        Save(Path.Combine(folder, "associate_2.ckpt"), Of(embedder, "state_dict.vqvae_LQ."));
        Save(Path.Combine(folder, "embedding_change_weights.pth"), Of(change, ""));
        Save(
            Path.Combine(folder, "pytorch_lora_weights.safetensors"),
            unet.Parameters.Where(p => p.Name.Contains(".attn") && p.Name.EndsWith(".weight", StringComparison.Ordinal))
                .SelectMany(p =>
                {
                    string layer = "unet." + p.Name[..^".weight".Length];
                    return new TensorEntry[]
                    {
                        new RandomWeights(layer + ".lora.down.weight", [Rank, p.Shape[1]]),
                        new RandomWeights(layer + ".lora.up.weight", [p.Shape[0], Rank]),
                    };
                })
        );
    }

    private static void Part(string folder, string name, Network network, JsonObject config)
    {
        Json(Path.Combine(folder, name, "config.json"), config);
        Save(Path.Combine(folder, name, "diffusion_pytorch_model.safetensors"), Of(network, ""));
    }

    private static void Json(string path, JsonObject json)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, json.ToJsonString());
    }

    private static IEnumerable<TensorEntry> Of(Network network, string prefix) =>
        network.Parameters.Select(parameter => new RandomWeights(prefix + parameter.Name, parameter.Shape));

    private static void Save(string path, IEnumerable<TensorEntry> tensors) => SafetensorsWriter.Write(path, tensors, overwrite: true);
}
