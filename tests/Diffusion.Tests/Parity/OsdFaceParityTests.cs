using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

/// <summary>The cases of family <c>osdface</c>, but for the alignment of faces, which has tests of its own.</summary>
public sealed class OsdFaceParityTests
{
    private const string Distinct = "distinct nearest codes, ascending distance",
        Duplicates = "all positions, ascending distance, duplicates kept";

    public static TheoryData<string> Cases => [.. ParityCase.All("osdface").Where(row => !IsAlignment(row.Data))];

    [Theory, MemberData(nameof(Cases))]
    public void The_released_code_is_met(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("weights_layout", "latent", "dropout", "variance", "to_uint8");
        config.Only("dtype", "float32", "float32 (x0 formula in float64)");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
            KindOf(config)(reference, policy, factor);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static Action<ParityCase, ComputePolicy, double> KindOf(ConfigNode config) =>
        config.Has("vre") ? Pipeline
        : config.Has("num_latent_queries") ? Pool
        : config.Has("selection") ? Quantize
        : config.Has("lora") ? Merge
        : config.Has("levels") ? Colors
        : config.Has("luma") ? Edges
        : throw new Xunit.Sdk.XunitException("This test does not know the case.");

    private static void Pipeline(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        ConfigNode vre = config.Object("vre");
        foreach (string off in new[] { "attention_pool", "cat_prompt_embedding", "pos_embedding" })
            vre.Only(off, false);
        vre.Only("selection", Distinct);
        int embedderSide = vre.Int("vre_size");
        JsonObject arguments = JsonNode.Parse(config.Raw("vre").GetRawText())!.AsObject();
        foreach (string key in arguments.Select(entry => entry.Key))
            if (VisualEmbedderConfig.Keys.Contains(key))
                vre.Raw(key);
        VisualEmbedderConfig embedder = VisualEmbedderConfig.Keys.Read(arguments);
        EmbeddingChangeConfig change = EmbeddingChangeConfig.Keys.Read(
            JsonNode.Parse(config.Raw("embedding_change").GetRawText())!.AsObject()
        );
        (NoiseSchedule schedule, Prediction prediction) = DiffusersSchedule.Read(
            JsonNode.Parse(config.Raw("scheduler").GetRawText())!.AsObject()
        );
        Assert.Equal(Prediction.Epsilon, prediction);
        Assert.True(config.IsNull("color_fix"));
        LoraUpdates updates = Updates(reference);
        ICheckpoint merged = updates.Merge(reference.Weights("unet."));
        foreach (string output in reference.Outputs.Where(IsMerged))
            reference.AssertOutput(output, merged.Tensors[output["merged.".Length..]].Read(), factor);

        using OsdFaceNetworks networks = new(
            () => Filled(new VisualEmbedder(embedder, policy), new VisualEmbedderFamily().Named(reference.Weights("vre."))),
            () => Filled(new EmbeddingChange(change, policy), reference.Weights("embedding_change.")),
            () => Filled(new StableDiffusionUNet(LatentCase.UNet(config), policy), merged),
            () => Filled(new AutoencoderKL(LatentCase.Vae(config), policy), reference.Weights("vae."))
        );
        OsdFaceSettings settings = new()
        {
            EmbedderSide = embedderSide,
            Timestep = config.Int("timestep"),
            Side = config.IsNull("input_square_resize") ? 1 : config.Int("input_square_resize"),
        };
        foreach (string output in reference.Outputs)
            reference.Expected(output);
        if (reference.HasInput("picture"))
            TensorAssert.Close(
                "lq",
                reference.Input("lq"),
                OsdFacePipeline.Input(reference.Input("picture").to(ScalarType.Float32) / 255, settings.Side),
                1e-5,
                1e-5
            );
        ReplayedNoise noise = new([.. reference.Draws.Select(draw => (NoiseRole.Start, draw))]);
        new OsdFacePipeline(networks, schedule, settings).Restore(reference.Input("lq"), noise, (name, values) =>
        {
            string output = Published(name);
            if (reference.Outputs.Contains(output))
                reference.AssertOutput(output, values, factor);
        });
        noise.AssertExhausted();
    }

    private static void Quantize(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        Tensor codes = reference.Weights().Tensors["embedding.weight"].Read(),
            z = reference.Input("z");
        Assert.Equal([config.Int("n_embed"), config.Int("embed_dim")], codes.shape);
        Assert.Equal([1, config.Int("embed_dim"), config.Int("latent_h"), config.Int("latent_w")], z.shape);
        using NearestCodes nearest = NearestCodes.Of(z, codes);
        reference.AssertOutput("min_distance", nearest.Distances, factor);
        reference.AssertOutput("nearest_code", nearest.Codes);
        reference.AssertOutput("position_order", nearest.Order);
        Tensor? positions = PositionsOf(config);
        if (positions is not null)
            reference.AssertOutput("pos_embedding", positions, factor);
        Tensor tokens =
            config.OneOf("selection", Distinct, Duplicates) == Distinct
                ? nearest.Distinct(config.Int("n_min"))
                : nearest.WithDuplicates(config.Int("n_min"), positions);
        reference.AssertOutput("tokens", tokens, factor);
        if (config.Bool("cat_prompt_embedding"))
            reference.AssertOutput("tokens_cat", NearestCodes.Doubled(tokens), factor);
    }

    private static void Pool(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        bool learnable = config.Kind("pos_embedding") == JsonValueKind.String && config.String("pos_embedding") == "learnable";
        Tensor codes = reference.Weights().Tensors["embedding.weight"].Read();
        int side = config.Int("latent_w"),
            width = config.Int("embed_dim");
        Assert.Equal([config.Int("n_embed"), width], codes.shape);
        Tensor quant = NearestCodes.SumOfNearest(
            reference.Input("z"),
            codes,
            config.Int("output_e_dim"),
            learnable ? null : PositionsOf(config)
        );
        reference.AssertOutput("quant", quant, factor);
        Tensor tokens = quant.flatten(2).transpose(1, 2);
        reference.AssertOutput("tokens", tokens, factor);
        using AttentionPool pool = Filled(
            new AttentionPool(config.Int("num_latent_queries"), width, config.Int("num_heads"), learnable ? side * side : null, policy),
            reference.Weights("pool.")
        );
        config.Only("pos_base", NearestCodes.PositionBase);
        Tensor pooled = pool.Forward(tokens);
        reference.AssertOutput("pooled", pooled, factor);
        if (config.Bool("cat_prompt_embedding"))
            reference.AssertOutput("tokens_cat", NearestCodes.Doubled(pooled), factor);
    }

    private static void Merge(ParityCase reference, ComputePolicy policy, double factor)
    {
        ICheckpoint merged = Updates(reference).Merge(reference.Weights("unet."));
        foreach (string output in reference.Outputs)
            reference.AssertOutput(output, merged.Tensors[output["merged.".Length..]].Read(), factor);
    }

    private static void Colors(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        config.Only("eps", 1e-5);
        config.Only("padding", "replicate");
        int levels = config.Int("levels");
        Tensor target = reference.Input("target").to(ScalarType.Float32) / 255,
            source = reference.Input("source").to(ScalarType.Float32) / 255;
        (Tensor mean, Tensor deviation) = ColorTransfer.Statistics(source);
        Tensor adain = ColorTransfer.Adain(target, source),
            wavelet = ColorTransfer.Wavelet(target, source, levels);
        reference.AssertOutput("source_mean", mean, factor);
        reference.AssertOutput("source_std", deviation, factor);
        reference.AssertOutput("adain", adain, factor);
        reference.AssertOutput("adain_u8", EightBits(adain));
        reference.AssertOutput("target_high", ColorTransfer.Split(target, levels).High, factor);
        reference.AssertOutput("source_low", ColorTransfer.Split(source, levels).Low, factor);
        reference.AssertOutput("wavelet", wavelet, factor);
        reference.AssertOutput("wavelet_u8", EightBits(wavelet));
        foreach (string output in reference.Outputs.Where(name => name.StartsWith("blur_r", StringComparison.Ordinal)))
            reference.AssertOutput(
                output,
                ColorTransfer.Blur(target, int.Parse(output["blur_r".Length..], System.Globalization.CultureInfo.InvariantCulture)),
                factor
            );

        static Tensor EightBits(Tensor values) => (values.clamp(0, 1) * 255).floor().to(ScalarType.Byte);
    }

    private static void Edges(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        config.Only("eps", 1e-6);
        config.Only("padding", "zeros 1");
        Tensor x = reference.Input("x"),
            weights = torch.tensor(config.Doubles("luma"), ScalarType.Float32).reshape(1, 3, 1, 1);
        reference.AssertOutput("edges_mean", SobelEdges.Magnitude(x.mean([1L], keepdim: true)), factor);
        reference.AssertOutput("edges_luma", SobelEdges.Magnitude((x * weights).sum(1, keepdim: true)), factor);
    }

    private static LoraUpdates Updates(ParityCase reference)
    {
        ConfigNode lora = reference.Config.Object("lora");
        double alpha = lora.Double("alpha");
        Assert.Equal(lora.Double("scale"), alpha / lora.Int("rank"), 1e-12);
        return new LoraUpdates(reference.Weights("lora."), "unet.", alpha) { OnlyPeftConvolutions = true };
    }

    private static Tensor? PositionsOf(ConfigNode config) =>
        config.Kind("pos_embedding") == JsonValueKind.False && !config.Bool("pos_embedding") ? Used(config)
        : config.OneOf("pos_embedding", "sinusoidal", "learnable") == "sinusoidal"
            ? NearestCodes.Positions(config.Int("latent_w"), config.Int("embed_dim"), config.Double("pos_base"))
        : Used(config);

    private static Tensor? Used(ConfigNode config)
    {
        config.Text("pos_base");
        return null;
    }

    private static TNetwork Filled<TNetwork>(TNetwork network, ICheckpoint weights)
        where TNetwork : Network
    {
        NetworkWeights.Fill(network, weights);
        return network;
    }

    private static string Published(string name) =>
        StableDiffusionUNetParityTests
            .Published(name)
            .Replace(".encoder.", ".enc.", StringComparison.Ordinal)
            .Replace(".decoder.", ".dec.", StringComparison.Ordinal);

    private static bool IsMerged(string output) => output.StartsWith("merged.", StringComparison.Ordinal);

    private static bool IsAlignment(string folder) =>
        folder.Length > 0 && File.ReadAllText(Path.Combine(folder, "case.json")).Contains("\"template_512\"", StringComparison.Ordinal);
}
