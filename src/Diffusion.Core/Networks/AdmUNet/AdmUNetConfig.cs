using System.Text.Json.Nodes;
using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>Constructor arguments of the ADM UNet, in the vocabulary of the published code.</summary>
public sealed record AdmUNetConfig
{
    /// <summary>Nominal size of the pictures; any multiple of the stride works.</summary>
    public int ImageSize { get; init; }

    /// <summary>Channels of the picture.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output: twice the input's where the variance is learned.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>C: width of the first level for a multiplier of 1.</summary>
    public required int ModelChannels { get; init; }

    /// <summary>Residual blocks a level.</summary>
    public required int NumResBlocks { get; init; }

    /// <summary>Width of each level as a multiple of C; widths are truncated to integers.</summary>
    public required IReadOnlyList<double> ChannelMult { get; init; }

    /// <summary>Down-sampling factors at which the way down and up has attention. The middle always has.</summary>
    public IReadOnlyList<int> AttentionResolutions { get; init; } = [];

    /// <summary>Heads, where <see cref="NumHeadChannels"/> is -1.</summary>
    public int NumHeads { get; init; } = 1;

    /// <summary>Channels a head; -1: <see cref="NumHeads"/> counts.</summary>
    public int NumHeadChannels { get; init; } = -1;

    /// <summary>Heads of the output blocks; -1: as <see cref="NumHeads"/>.</summary>
    public int NumHeadsUpsample { get; init; } = -1;

    /// <summary>Number of classes; null: unconditional.</summary>
    public int? NumClasses { get; init; }

    /// <summary>Convolutions in Downsample and Upsample.</summary>
    public bool ConvResample { get; init; } = true;

    /// <summary>Residual blocks do the resampling.</summary>
    public bool ResblockUpdown { get; init; }

    /// <summary>The embedding enters as scale and shift.</summary>
    public bool UseScaleShiftNorm { get; init; }

    /// <summary>q, k, v are cut before the heads are.</summary>
    public bool UseNewAttentionOrder { get; init; }

    /// <summary>The attention of openai/consistency_models: two-dimensional 1x1 convolutions, always q, k, v first.</summary>
    public bool ConsistencyAttention { get; init; }

    /// <summary>
    /// p: the picture is cut into patches of p x p pixels, which become channels, and the network works on those (space to depth; not in
    /// the published code). 1: no patches.
    /// </summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>
    /// Each pixel is normalised by itself, instead of groups of channels over the whole picture (not in the published code).
    /// </summary>
    public bool PixelNorm { get; init; }

    /// <summary>
    /// Attention between the middle's residual blocks. Without it and with <see cref="PixelNorm"/> the receptive field is finite.
    /// </summary>
    public bool MiddleAttention { get; init; } = true;

    /// <summary>Side of the window that an output pixel depends on; null: the whole picture.</summary>
    public int? ReceptiveField
    {
        get
        {
            if (!PixelNorm || MiddleAttention || AttentionResolutions.Count > 0)
                return null;
            int Stride(int level) => PatchSize << level;
            // A 3x3 kernel reaches one pixel of its level further; a pixel may lie at the edge of the coarsest cell.
            int radius = 2 * Stride(0) + 4 * Stride(ChannelMult.Count - 1) + Stride(ChannelMult.Count - 1) - 1;
            for (int level = 0; level < ChannelMult.Count; level++)
            {
                radius += (2 * NumResBlocks + 2 * (NumResBlocks + 1)) * Stride(level);
                if (level > 0)
                    radius +=
                        ResblockUpdown ? 2 * Stride(level) + 2 * Stride(level - 1)
                        : ConvResample ? 2 * Stride(level - 1)
                        : 0;
            }
            return 2 * radius + 1;
        }
    }

    /// <summary>
    /// The published constructor arguments. <c>learn_sigma</c> and <c>class_cond</c> of the published flags fill in for <c>out_channels</c>
    /// and <c>num_classes</c>.
    /// </summary>
    public static ConfigKeys<AdmUNetConfig> Keys { get; } =
        new ConfigKeys<AdmUNetConfig>(
            "ADM UNet",
            new AdmUNetConfig
            {
                ModelChannels = 0,
                NumResBlocks = 0,
                ChannelMult = [],
            },
            config => config.Validate()
        )
        {
            { "image_size", c => c.ImageSize, (c, value) => c with { ImageSize = value } },
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
            { "model_channels", c => c.ModelChannels, (c, value) => c with { ModelChannels = value }, Key.Required | Key.Shown },
            { "num_res_blocks", c => c.NumResBlocks, (c, value) => c with { NumResBlocks = value }, Key.Required | Key.Shown },
            { "channel_mult", c => c.ChannelMult, (c, value) => c with { ChannelMult = value }, Key.Required | Key.Shown },
            { "attention_resolutions", c => c.AttentionResolutions, (c, value) => c with { AttentionResolutions = value }, Key.Shown },
            { "num_heads", c => c.NumHeads, (c, value) => c with { NumHeads = value } },
            { "num_head_channels", c => c.NumHeadChannels, (c, value) => c with { NumHeadChannels = value } },
            { "num_heads_upsample", c => c.NumHeadsUpsample, (c, value) => c with { NumHeadsUpsample = value } },
            { "num_classes", c => c.NumClasses, (c, value) => c with { NumClasses = value }, Key.Shown },
            { "conv_resample", c => c.ConvResample, (c, value) => c with { ConvResample = value }, Key.Shown },
            { "resblock_updown", c => c.ResblockUpdown, (c, value) => c with { ResblockUpdown = value }, Key.Shown },
            { "use_scale_shift_norm", c => c.UseScaleShiftNorm, (c, value) => c with { UseScaleShiftNorm = value }, Key.Shown },
            { "use_new_attention_order", c => c.UseNewAttentionOrder, (c, value) => c with { UseNewAttentionOrder = value } },
            { "patch_size", c => c.PatchSize, (c, value) => c with { PatchSize = value } },
            { "pixel_norm", c => c.PixelNorm, (c, value) => c with { PixelNorm = value }, Key.Shown },
            { "middle_attention", c => c.MiddleAttention, (c, value) => c with { MiddleAttention = value }, Key.Shown },
        }.Reading(["learn_sigma", "class_cond", "dropout"], PublishedFlags);

    /// <summary>The width of a level.</summary>
    public int Width(int level) => (int)(ChannelMult[level] * ModelChannels);

    /// <summary>Stride of the network: sizes must be multiples of it.</summary>
    public int SizeMultiple => PatchSize << (ChannelMult.Count - 1);

    internal QkvLayout Layout => ConsistencyAttention || UseNewAttentionOrder ? QkvLayout.QkvFirst : QkvLayout.HeadsFirst;

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot; the message says why.</exception>
    public void Validate()
    {
        if (ChannelMult.Count is < 1 or > 12)
            throw new ArgumentException($"channel_mult has {ChannelMult.Count} levels. It must have 1 to 12.");
        if (NumResBlocks is < 0 or > 64)
            throw new ArgumentException($"num_res_blocks is {NumResBlocks}. It must be 0 to 64.");
        if (ModelChannels is < 1 or > 16384)
            throw new ArgumentException($"model_channels is {ModelChannels}. It must be 1 to 16384.");
        if (InChannels is < 1 or > 1024 || OutChannels is < 1 or > 1024)
            throw new ArgumentException($"in_channels and out_channels are {InChannels} and {OutChannels}. They must be 1 to 1024.");
        if (PatchSize is < 1 or > 16)
            throw new ArgumentException($"patch_size is {PatchSize}. It must be 1 to 16.");
        if (NumClasses is < 1 or > 1_000_000)
            throw new ArgumentException($"num_classes is {NumClasses}. It must be 1 to 1000000.");
        for (int level = 0; level < ChannelMult.Count; level++)
            if (!(ChannelMult[level] is > 0 and <= 64) || Width(level) % 32 != 0 || Width(level) == 0)
                throw new ArgumentException(
                    $"Level {level} is {ModelChannels} x {ChannelMult[level]} channels wide. Widths must be multiples of 32 (the "
                        + $"groups of the normalisation)."
                );
    }

    private static AdmUNetConfig PublishedFlags(JsonObject json, AdmUNetConfig config) =>
        config with
        {
            OutChannels = json["out_channels"] is null ? config.InChannels * (Flag(json, "learn_sigma") ? 2 : 1) : config.OutChannels,
            NumClasses = config.NumClasses ?? (Flag(json, "class_cond") ? 1000 : null),
        };

    private static bool Flag(JsonObject json, string key) => json[key] is { } value && ConfigValue.Read<bool>(key, value);
}
