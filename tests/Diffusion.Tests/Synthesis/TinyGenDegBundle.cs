using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;

namespace Diffusion.Tests.Synthesis;

/// <summary>GenDeg in tiny widths with random weights, in files as they are published.</summary>
internal static class TinyGenDegBundle
{
    private const int Text = 16;

    private static readonly StableDiffusionUNetConfig UNet = new()
    {
        InChannels = 8,
        BlockOutChannels = [32, 64, 96, 96],
        DownBlockTypes = StableDiffusionUNetConfig.DownTypes([true, true, true, false]),
        UpBlockTypes = StableDiffusionUNetConfig.UpTypes([false, true, true, true]),
        CrossAttentionDim = Text,
    };

    private static readonly AutoencoderKLConfig Vae = new() { BlockOutChannels = [32, 64, 96, 96], LayersPerBlock = 2 };

    private static readonly ClipTextConfig Encoder = new()
    {
        HiddenSize = Text,
        IntermediateSize = 32,
        Heads = 1,
        Layers = 2,
    };

    private static readonly NafNetConfig Correction = new()
    {
        InChannels = 6,
        Width = 8,
        EncoderBlocks = [1, 1],
        DecoderBlocks = [1, 1],
    };

    /// <summary>Writes <c>gendeg.ckpt</c>, <c>nafnet_sd.ckpt</c>, <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    /// <param name="parity">The folder <c>tests/parity</c>.</param>
    /// <param name="folder">Made when missing.</param>
    public static void Write(string parity, string folder)
    {
        Directory.CreateDirectory(folder);
        using DisposeScope scope = torch.NewDisposeScope();
        Dictionary<string, Tensor> model = [];
        using StableDiffusionUNet unet = Random(new StableDiffusionUNet(UNet), 1);
        using AutoencoderKL vae = Random(new AutoencoderKL(Vae), 2);
        using ClipTextEncoder text = Random(new ClipTextEncoder(Encoder), 3);
        using GenDegContext context = Random(new GenDegContext(new(TextSize: Text, ContextSize: Text)), 4);
        using NafNet correction = Random(new NafNet(Correction), 5);
        foreach ((string compVis, string name) in Map(parity, "unet"))
        {
            Tensor value = unet.Parameters.Single(p => p.Name == name).Value;
            // Raw weights beside the averages: whoever takes them gets another picture.
            model["state_dict.model.diffusion_model." + compVis] = torch.zeros_like(value);
            model["state_dict.model_ema.diffusion_model" + compVis.Replace(".", "")] = value;
        }
        model["state_dict.model_ema.num_updates"] = torch.tensor(3);
        foreach ((string compVis, string name) in Map(parity, "vae"))
            model["state_dict.first_stage_model." + compVis] = vae.Parameters.Single(p => p.Name == name).Value;
        foreach (Parameter parameter in text.Parameters)
            model["state_dict.cond_stage_model.transformer." + parameter.Name] = parameter.Value;
        model["state_dict.cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0);
        foreach (Parameter parameter in context.Parameters)
            model["state_dict." + parameter.Name] = parameter.Value;
        model["state_dict.betas"] = torch.zeros(1000);
        model["global_step"] = torch.tensor(7);
        SafetensorsWriter.Write(Path.Combine(folder, "gendeg.ckpt"), model);
        SafetensorsWriter.Write(
            Path.Combine(folder, "nafnet_sd.ckpt"),
            correction.Parameters.ToDictionary(p => "state_dict." + p.Name, p => p.Value)
        );
        foreach (string file in new[] { ClipTokenizer.VocabularyFile, ClipTokenizer.MergesFile })
            File.Copy(Path.Combine(parity, "clip", file), Path.Combine(folder, file), overwrite: true);
    }

    // Weights that start at zero would hide what they multiply.
    private static TNetwork Random<TNetwork>(TNetwork network, ulong seed)
        where TNetwork : Network
    {
        network.Initialize(seed);
        foreach (Parameter parameter in network.Parameters.Where(p => p.Value.abs().max().item<float>() == 0 && p.Shape.Length > 1))
            parameter.Value = torch.full(parameter.Shape, 0.05f);
        return network;
    }

    private static IEnumerable<(string CompVis, string Diffusers)> Map(string parity, string part) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(parity, "manifests", "sd-compvis-to-diffusers.json")))!.AsObject()[part]!
            .AsObject()
            .Select(pair => (pair.Key, (string)pair.Value!));
}
