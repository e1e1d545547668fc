using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Derives the constructor arguments of a guided-diffusion or consistency UNet from names and shapes.</summary>
/// <remarks>
/// A level with r residual blocks takes r + 1 entries of <c>input_blocks</c> (the last level r, but entry 0 is the first convolution) and r
/// + 1 of <c>output_blocks</c>.
/// On the way down a block that halves the size looks like any other; on the way up the last entry of each level but level 0 ends with a
/// resampling layer, which gives r.
/// Where resampling has no weights (pooling), a number is left out of <c>input_blocks</c> instead.
/// </remarks>
internal static class AdmUNetShapes
{
    /// <summary>What is shown; null when the names are those of such a network but the shapes are not.</summary>
    public static AdmUNetConfig? Read(ShapeTable shapes)
    {
        int outputs = shapes.Count("output_blocks");
        if (
            outputs == 0
            || shapes.Size("time_embed.0.weight", 1) is not { } channels
            || shapes.Size("input_blocks.0.0.weight", 1) is not { } inChannels
            || shapes.Size("out.2.weight", 0) is not { } outChannels
            || shapes.Size("middle_block.0.out_layers.3.weight", 0) is not { } middle
            || shapes.Size("middle_block.0.emb_layers.1.weight", 0) is not { } embedding
        )
            return null;
        int entries = EntriesPerLevel(shapes, outputs);
        if (outputs % entries != 0)
            return null;
        int levels = outputs / entries;
        List<double> multipliers = [];
        List<int> attention = [];
        for (int level = 0; level < levels; level++)
        {
            string first = $"output_blocks.{(levels - 1 - level) * entries}";
            if (shapes.Size($"{first}.0.out_layers.3.weight", 0) is not { } width)
                return null;
            multipliers.Add(Multiplier(width, channels));
            if (shapes.Has($"{first}.1.qkv.weight"))
                attention.Add(1 << level);
        }
        return new AdmUNetConfig
        {
            InChannels = inChannels,
            OutChannels = outChannels,
            ModelChannels = channels,
            NumResBlocks = entries - 1,
            ChannelMult = multipliers,
            AttentionResolutions = attention,
            NumClasses = shapes.Size("label_emb.weight", 0),
            UseScaleShiftNorm = embedding == 2 * middle,
            ResblockUpdown = levels > 1 && Resampling(shapes, entries - 1, "in_layers.2.weight"),
            ConvResample = levels == 1 || shapes.HasAny($"input_blocks.{entries}."),
            PixelNorm = shapes.Has("out.0.gain"),
            MiddleAttention = shapes.Has("middle_block.1.qkv.weight"),
        };
    }

    /// <summary>Heads of 64 channels, or of 32 or all where a layer with attention is no multiple of that.</summary>
    /// <returns>The configuration, and the words for it.</returns>
    public static (AdmUNetConfig Config, string Said) WithUsualHeads(AdmUNetConfig shown)
    {
        int[] widths =
        [
            .. Enumerable
                .Range(0, shown.ChannelMult.Count)
                .Where(level => shown.AttentionResolutions.Contains(1 << level))
                .Select(shown.Width),
            // Without residual blocks nothing has widened before the middle.
            .. shown.MiddleAttention ? [shown.Width(shown.NumResBlocks > 0 ? shown.ChannelMult.Count - 1 : 0)] : (int[])[],
        ];
        foreach (int channels in (ReadOnlySpan<int>)[64, 32])
            if (widths.All(width => width % channels == 0))
                return (shown with { NumHeadChannels = channels }, $"heads of {channels} channels");
        return (shown, "one head");
    }

    private static int EntriesPerLevel(ShapeTable shapes, int outputs)
    {
        for (int i = 0; i < outputs; i++)
            if (Resampling(shapes, i, "in_layers.2.weight") || Resampling(shapes, i, "conv.weight"))
                return i + 1;
        return Math.Min(shapes.Count("input_blocks"), outputs);
    }

    private static bool Resampling(ShapeTable shapes, int output, string weight) =>
        shapes.Has($"output_blocks.{output}.1.{weight}") || shapes.Has($"output_blocks.{output}.2.{weight}");

    // Widths are truncated: a fraction must not end just below the width that it came from.
    private static double Multiplier(int width, int channels)
    {
        double multiplier = (double)width / channels;
        return (int)(multiplier * channels) == width ? multiplier : Math.BitIncrement(multiplier);
    }
}
