using System.Text.Json.Nodes;

namespace Diffusion.Checkpoints;

/// <summary>Tells a network's architecture from the names and shapes of its weights.</summary>
/// <remarks>
/// <c>adm-unet</c>, <c>consistency-unet</c> and <c>drunet</c> come with every constructor argument that shapes show.
/// What they do not show (heads, attention order, schedule, prediction, the meaning of classes) is in the <see cref="CheckpointCatalog"/>.
/// </remarks>
public static class ArchitectureProbe
{
    private static readonly (string Kind, string Landmark, Func<ShapeTable, Architecture?> Recognize, string Description)[] Families =
    [
        (
            "gendeg",
            "cc_projection.weight",
            Named("gendeg", "stats_proj.weight", "model.diffusion_model.input_blocks.0.0.weight"),
            "a GenDeg degradation synthesiser"
        ),
        (
            "stable-diffusion",
            "model.diffusion_model.input_blocks.0.0.weight",
            StableDiffusion,
            "a whole Stable Diffusion model in one file (CompVis names)"
        ),
        (
            "sd-unet",
            "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
            Sized("sd-unet", "input_blocks.0.0.weight"),
            "a Stable Diffusion UNet (CompVis names)"
        ),
        (
            "sd-unet",
            "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
            Sized("sd-unet", "conv_in.weight"),
            "a Stable Diffusion UNet (diffusers names)"
        ),
        (
            "adm-classifier",
            "input_blocks.0.0.weight",
            Classifier,
            "a classifier of guided-diffusion, which guides a model but restores nothing"
        ),
        ("adm-unet", "input_blocks.0.0.weight", AdmUNetProbe.Recognize, "an ADM UNet (guided-diffusion)"),
        ("consistency-unet", "input_blocks.0.0.weight", AdmUNetProbe.Recognize, "a consistency UNet (consistency_models)"),
        ("drunet", "m_head.weight", DrUNet, "a DRUNet denoiser"),
        ("nafnet", "intro.weight", Named("nafnet", "ending.weight", "encoders.0.0.beta"), "a NAFNet"),
        (
            "vre",
            "vqvae_LQ.encoder.conv_in.weight",
            Named("vre", "vqvae_LQ.quantize.embedding.weight"),
            "the visual representation embedder of OSDFace"
        ),
        (
            "sd-vae",
            "decoder.conv_in.weight",
            Named("sd-vae", "encoder.conv_in.weight", "post_quant_conv.weight"),
            "a Stable Diffusion autoencoder"
        ),
        ("clip-text", "text_model.embeddings.token_embedding.weight", Named("clip-text"), "a CLIP text encoder (Hugging Face names)"),
        (
            "openclip-text",
            "transformer.resblocks.0.attn.in_proj_weight",
            Named("openclip-text", "token_embedding.weight"),
            "an OpenCLIP text encoder"
        ),
        ("ircnn", "0.model.0.weight", Ircnn, "IRCNN, 25 denoisers by noise level, for which there is no network here"),
        (
            "ddpm-unet",
            "temb.dense.0.weight",
            Named("ddpm-unet", "conv_in.weight"),
            "a DDPM UNet of the original code, for which there is no network here"
        ),
        ("embedding-change", "conv2.weight", EmbeddingChange, "the embedding change of OSDFace"),
    ];

    private const string LoraDescription = "only LoRA updates, no whole network; they need the base model's file";

    /// <summary>Recognises the network in a checkpoint, below whatever prefix it lies.</summary>
    /// <returns>Kind and configuration; null when it is of no known family.</returns>
    public static Architecture? Recognize(ICheckpoint checkpoint) =>
        Recognize(checkpoint.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape));

    /// <summary>Recognises a network from the names and shapes of its weights.</summary>
    public static Architecture? Recognize(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes) => Find(shapes)?.Architecture;

    /// <summary>What a file of this architecture holds, to follow "The file holds".</summary>
    public static string Describe(Architecture architecture) =>
        architecture.Kind == "lora" ? LoraDescription : Families.First(family => family.Kind == architecture.Kind).Description;

    /// <summary>Whether networks of this kind serve as priors of restoration.</summary>
    public static bool IsPrior(Architecture architecture) => architecture.Kind is "adm-unet" or "consistency-unet" or "drunet";

    /// <summary>The network and the prefix below which it was found.</summary>
    internal static (Architecture Architecture, string Prefix)? Find(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (shapes.Count > 0 && shapes.Keys.All(name => name.Contains("lora", StringComparison.OrdinalIgnoreCase)))
            return (new("lora", []), "");
        foreach (var family in Families)
        {
            IReadOnlyList<string> prefixes = WeightPrefix.Candidates(shapes.Keys, [family.Landmark]);
            foreach (string prefix in prefixes.OrderByDescending(WeightPrefix.IsAverage).ThenBy(prefix => prefix.Length))
                if (family.Recognize(new ShapeTable(shapes, prefix)) is { } found && found.Kind == family.Kind)
                    return (found, prefix);
        }
        return null;
    }

    private static Func<ShapeTable, Architecture?> Named(string kind, params string[] needed) =>
        shapes => needed.All(shapes.Has) ? new Architecture(kind, []) : null;

    private static Func<ShapeTable, Architecture?> Sized(string kind, string firstConvolution) =>
        shapes =>
            shapes.Size(firstConvolution, 1) is { } channels ? new Architecture(kind, new JsonObject { ["in_channels"] = channels }) : null;

    private static Architecture? Classifier(ShapeTable shapes) => shapes.HasAny("output_blocks.") ? null : new("adm-classifier", []);

    private static Architecture? EmbeddingChange(ShapeTable shapes) =>
        shapes.Names.Count == 4 && shapes.Rank("conv1.weight") == 3 ? new("embedding-change", []) : null;

    private static Architecture? Ircnn(ShapeTable shapes) =>
        shapes.Size("0.model.0.weight", 1) is { } channels && shapes.HasAny("24.")
            ? new("ircnn", new JsonObject { ["channels"] = channels })
            : null;

    private static Architecture? StableDiffusion(ShapeTable shapes) =>
        !shapes.HasAny("first_stage_model.")
            ? null
            : new(
                "stable-diffusion",
                new JsonObject
                {
                    ["in_channels"] = shapes.Size("model.diffusion_model.input_blocks.0.0.weight", 1),
                    ["context_dim"] = shapes.Size("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 1),
                }
            );

    private static Architecture? DrUNet(ShapeTable shapes)
    {
        int? head = shapes.Size("m_head.weight", 0),
            inputs = shapes.Size("m_head.weight", 1),
            outputs = shapes.Size("m_tail.weight", 0);
        // A sequence of one block loses its number in the published code.
        int blocks = shapes.Has("m_body.res.0.weight") ? 1 : shapes.Count("m_body");
        JsonArray widths = [head];
        for (int level = 1; level <= 3; level++)
            widths.Add(shapes.Size($"m_down{level}.{blocks}.weight", 0));
        if (inputs is null || outputs is null || blocks == 0 || widths.Any(width => width is null))
            return null;
        return new Architecture(
            "drunet",
            new JsonObject
            {
                ["in_nc"] = inputs,
                ["out_nc"] = outputs,
                ["nc"] = widths,
                ["nb"] = blocks,
                ["act_mode"] = "R",
                ["downsample_mode"] = "strideconv",
                ["upsample_mode"] = "convtranspose",
                ["bias"] = shapes.Has("m_head.bias"),
            }
        );
    }
}
