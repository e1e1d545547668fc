using System.Text.Json.Nodes;

namespace Diffusion.Checkpoints;

/// <summary>Derives the constructor arguments of a guided-diffusion or consistency UNet from names and shapes.</summary>
/// <remarks>
/// A level with r residual blocks takes r + 1 entries of <c>input_blocks</c> (the last level r, but entry 0 is the first convolution) and r
/// + 1 of <c>output_blocks</c>.
/// On the way down a block that halves the size looks like any other; on the way up the last entry of each level but level 0 ends with a
/// resampling layer, which gives r.
/// Where resampling has no weights (pooling), a number is left out of <c>input_blocks</c> instead.
/// </remarks>
internal static class AdmUNetProbe
{
    /// <summary>The architecture; null when the names are those of such a network but the shapes are not.</summary>
    public static Architecture? Recognize(ShapeTable shapes)
    {
        int outputs = shapes.Count("output_blocks");
        if (outputs == 0 || shapes.Size("time_embed.0.weight", 1) is not { } channels)
            return null;
        if (shapes.Size("input_blocks.0.0.weight", 1) is not { } inChannels || shapes.Size("out.2.weight", 0) is not { } outChannels)
            return null;
        int entries = EntriesPerLevel(shapes, outputs);
        if (outputs % entries != 0)
            return null;
        int levels = outputs / entries;
        JsonArray multipliers = [],
            attention = [];
        for (int level = 0; level < levels; level++)
        {
            string first = $"output_blocks.{(levels - 1 - level) * entries}";
            if (shapes.Size($"{first}.0.out_layers.3.weight", 0) is not { } width)
                return null;
            multipliers.Add(Multiplier(width, channels));
            if (shapes.Has($"{first}.1.qkv.weight"))
                attention.Add(1 << level);
        }
        if (
            shapes.Size("middle_block.0.out_layers.0.weight", 0) is not { } middle
            || shapes.Size("middle_block.0.emb_layers.1.weight", 0) is not { } embedding
        )
            return null;
        JsonObject config = new()
        {
            ["in_channels"] = inChannels,
            ["out_channels"] = outChannels,
            ["model_channels"] = channels,
            ["num_res_blocks"] = entries - 1,
            ["channel_mult"] = multipliers,
            ["attention_resolutions"] = attention,
            ["num_classes"] = shapes.Size("label_emb.weight", 0),
            ["use_scale_shift_norm"] = embedding == 2 * middle,
            ["resblock_updown"] =
                levels > 1 && Enumerable.Range(1, 2).Any(layer => shapes.Has($"output_blocks.{entries - 1}.{layer}.in_layers.0.weight")),
            ["conv_resample"] = levels == 1 || !PoolsWithoutWeights(shapes, entries),
        };
        return new Architecture(shapes.Rank("middle_block.1.qkv.weight") == 4 ? "consistency-unet" : "adm-unet", config);
    }

    private static int EntriesPerLevel(ShapeTable shapes, int outputs)
    {
        for (int i = 0; i < outputs; i++)
            if (
                Enumerable
                    .Range(1, 2)
                    .Any(layer =>
                        shapes.Has($"output_blocks.{i}.{layer}.in_layers.0.weight") || shapes.Has($"output_blocks.{i}.{layer}.conv.weight")
                    )
            )
                return i + 1;
        return Math.Min(shapes.Count("input_blocks"), outputs);
    }

    private static bool PoolsWithoutWeights(ShapeTable shapes, int entries) => !shapes.HasAny($"input_blocks.{entries}.");

    private static JsonNode Multiplier(int width, int channels)
    {
        if (width % channels == 0)
            return width / channels;
        double multiplier = (double)width / channels;
        return (int)(multiplier * channels) == width ? multiplier : Math.BitIncrement(multiplier);
    }
}
