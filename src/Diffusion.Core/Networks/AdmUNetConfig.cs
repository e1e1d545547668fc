using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

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

    /// <summary>The keys that <see cref="FromJson"/> reads.</summary>
    public static IReadOnlySet<string> Keys { get; } =
        new HashSet<string>
        {
            "image_size",
            "in_channels",
            "out_channels",
            "model_channels",
            "num_res_blocks",
            "channel_mult",
            "attention_resolutions",
            "num_heads",
            "num_head_channels",
            "num_heads_upsample",
            "num_classes",
            "conv_resample",
            "resblock_updown",
            "use_scale_shift_norm",
            "use_new_attention_order",
            "dropout",
            "learn_sigma",
            "class_cond",
            "patch_size",
            "pixel_norm",
            "middle_attention",
        };

    /// <summary>The width of a level.</summary>
    public int Width(int level) => (int)(ChannelMult[level] * ModelChannels);

    /// <summary>Stride of the network: sizes must be multiples of it.</summary>
    public int SizeMultiple => PatchSize << (ChannelMult.Count - 1);

    internal QkvLayout Layout => ConsistencyAttention || UseNewAttentionOrder ? QkvLayout.QkvFirst : QkvLayout.HeadsFirst;

    /// <summary>
    /// Reads the published constructor arguments; <c>learn_sigma</c> and <c>class_cond</c> of the published flags fill in for
    /// <c>out_channels</c> and <c>num_classes</c>.
    /// </summary>
    /// <exception cref="CheckpointException">A value is missing or impossible.</exception>
    public static AdmUNetConfig FromJson(JsonObject config)
    {
        try
        {
            AdmUNetConfig result = new()
            {
                ModelChannels = Get<int>(config, "model_channels"),
                NumResBlocks = Get<int>(config, "num_res_blocks"),
                ChannelMult = List<double>(config, "channel_mult") ?? throw new FormatException("channel_mult is missing"),
                AttentionResolutions = List<int>(config, "attention_resolutions") ?? [],
                ImageSize = Get(config, "image_size", 0),
                InChannels = Get(config, "in_channels", 3),
                OutChannels = Get(config, "out_channels", Get(config, "in_channels", 3) * (Get(config, "learn_sigma", false) ? 2 : 1)),
                NumHeads = Get(config, "num_heads", 1),
                NumHeadChannels = Get(config, "num_head_channels", -1),
                NumHeadsUpsample = Get(config, "num_heads_upsample", -1),
                NumClasses = config["num_classes"] is null
                    ? Get(config, "class_cond", false)
                        ? 1000
                        : null
                    : Get<int>(config, "num_classes"),
                ConvResample = Get(config, "conv_resample", true),
                ResblockUpdown = Get(config, "resblock_updown", false),
                UseScaleShiftNorm = Get(config, "use_scale_shift_norm", false),
                UseNewAttentionOrder = Get(config, "use_new_attention_order", false),
                PatchSize = Get(config, "patch_size", 1),
                PixelNorm = Get(config, "pixel_norm", false),
                MiddleAttention = Get(config, "middle_attention", true),
            };
            result.Validate();
            return result;
        }
        catch (Exception error)
            when (error is FormatException or InvalidOperationException or ArgumentException or JsonException or OverflowException)
        {
            throw new CheckpointException(
                $"This configuration describes no ADM UNet: {error.Message.TrimEnd('.')}",
                remedy: "Correct the card, or leave it out to have the architecture recognised from the weights"
            );
        }
    }

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

    private static T Get<T>(JsonObject config, string key) =>
        config[key] is JsonValue value ? value.GetValue<T>() : throw new FormatException($"{key} is missing");

    private static T Get<T>(JsonObject config, string key, T absent) => config[key] is null ? absent : Get<T>(config, key);

    private static IReadOnlyList<T>? List<T>(JsonObject config, string key) =>
        config[key] is JsonArray array ? [.. array.Select(item => item!.GetValue<T>())] : null;
}
