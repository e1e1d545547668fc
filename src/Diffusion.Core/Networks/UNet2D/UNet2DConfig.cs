using System.Text.Json.Nodes;

namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="UNet2D"/>, in the vocabulary of the published code.</summary>
public sealed record UNet2DConfig
{
    private const string Down = "DownBlock2D",
        AttentionDown = "AttnDownBlock2D",
        Up = "UpBlock2D",
        AttentionUp = "AttnUpBlock2D";

    /// <summary>Nominal side of the pictures; 0: not known. Any multiple of the stride works.</summary>
    public int SampleSize { get; init; }

    /// <summary>Channels of the picture.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Width of each level.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [];

    /// <summary>Residual blocks a level; one more on the way up.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Whether the levels have attention on the way down, the finest first.</summary>
    public IReadOnlyList<bool> DownAttention { get; init; } = [];

    /// <summary>Whether the levels have attention on the way up, the coarsest first.</summary>
    public IReadOnlyList<bool> UpAttention { get; init; } = [];

    /// <summary>Whether the middle has attention.</summary>
    public bool MiddleAttention { get; init; } = true;

    /// <summary>Width of a head; null: one head.</summary>
    public int? AttentionHeadDim { get; init; } = 8;

    /// <summary>Whether attention bears the names of before May 2023: <c>query</c>, <c>key</c>, <c>value</c>, <c>proj_attn</c>.</summary>
    public bool EarlyNames { get; init; }

    /// <summary>Groups of the normalisations.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>What the normalisations add to the variance.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>What halves the picture pads with zeros: 1: all sides; 0: bottom and right.</summary>
    public int DownsamplePadding { get; init; } = 1;

    /// <summary>Whether cosines of the time come before sines.</summary>
    public bool CosineFirst { get; init; } = true;

    /// <summary>Subtracted from the number of the time's frequencies.</summary>
    public double FrequencyShift { get; init; }

    /// <summary>The picture is mapped from [0,1] to [-1,1] first.</summary>
    public bool CenterInput { get; init; }

    /// <summary>What the sums of the middle's blocks are divided by.</summary>
    public double MiddleScale { get; init; } = 1;

    /// <summary>The published constructor arguments, with the defaults of the published class.</summary>
    public static ConfigKeys<UNet2DConfig> Keys { get; } =
        new ConfigKeys<UNet2DConfig>("UNet2DModel", new UNet2DConfig(), config => config.Validate())
        {
            { "sample_size", c => c.SampleSize, (c, value) => c with { SampleSize = value } },
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
            { "block_out_channels", c => c.BlockOutChannels, (c, value) => c with { BlockOutChannels = value }, Key.Required | Key.Shown },
            { "layers_per_block", c => c.LayersPerBlock, (c, value) => c with { LayersPerBlock = value }, Key.Shown },
            {
                "down_block_types",
                c => Words(c.DownAttention, Down, AttentionDown),
                (c, value) => c with { DownAttention = Attention("down_block_types", value, Down, AttentionDown) },
                Key.Required | Key.Shown
            },
            {
                "up_block_types",
                c => Words(c.UpAttention, Up, AttentionUp),
                (c, value) => c with { UpAttention = Attention("up_block_types", value, Up, AttentionUp) },
                Key.Required | Key.Shown
            },
            { "add_attention", c => c.MiddleAttention, (c, value) => c with { MiddleAttention = value }, Key.Shown },
            { "attention_head_dim", c => c.AttentionHeadDim, (c, value) => c with { AttentionHeadDim = value } },
            { "attention_names", c => c.EarlyNames ? "old" : "new", (c, value) => c with { EarlyNames = value == "old" }, Key.Shown },
            // Shapes show which numbers of groups are possible; the usual one of them is taken.
            { "norm_num_groups", c => c.NormGroups, (c, value) => c with { NormGroups = value }, Key.Shown },
            { "norm_eps", c => c.NormEpsilon, (c, value) => c with { NormEpsilon = value } },
            { "downsample_padding", c => c.DownsamplePadding, (c, value) => c with { DownsamplePadding = value } },
            { "flip_sin_to_cos", c => c.CosineFirst, (c, value) => c with { CosineFirst = value } },
            { "freq_shift", c => c.FrequencyShift, (c, value) => c with { FrequencyShift = value } },
            { "center_input_sample", c => c.CenterInput, (c, value) => c with { CenterInput = value } },
            { "mid_block_scale_factor", c => c.MiddleScale, (c, value) => c with { MiddleScale = value } },
            { "act_fn", _ => "silu", (c, value) => OneOf(c, "act_fn", value, "silu", "swish") },
            { "time_embedding_type", "positional" },
            { "downsample_type", "conv" },
            { "upsample_type", "conv" },
            { "resnet_time_scale_shift", "default" },
            { "attn_norm_num_groups", (int?)null },
            { "class_embed_type", (string?)null },
            { "num_class_embeds", (int?)null },
        }.Reading(["dropout"], NullIsOneHead);

    /// <summary>Stride of the network: sizes must be multiples of it.</summary>
    public int SizeMultiple => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot; the message says why.</exception>
    public void Validate()
    {
        int levels = BlockOutChannels.Count;
        if (levels is < 1 or > 12 || DownAttention.Count != levels || UpAttention.Count != levels)
            throw new ArgumentException(
                $"block_out_channels has {levels} levels, down_block_types {DownAttention.Count} and up_block_types "
                    + $"{UpAttention.Count}. They must have the same, 1 to 12."
            );
        if (LayersPerBlock is < 1 or > 64)
            throw new ArgumentException($"layers_per_block is {LayersPerBlock}. It must be 1 to 64.");
        if (InChannels is < 1 or > 1024 || OutChannels is < 1 or > 1024)
            throw new ArgumentException($"in_channels and out_channels are {InChannels} and {OutChannels}. They must be 1 to 1024.");
        if (NormGroups < 1 || BlockOutChannels.Any(width => width is < 1 or > 16384 || width % NormGroups != 0))
            throw new ArgumentException(
                $"The widths are {string.Join(", ", BlockOutChannels)}. They must be multiples of norm_num_groups, {NormGroups}, up to "
                    + "16384."
            );
        if (AttentionHeadDim is < 1)
            throw new ArgumentException($"attention_head_dim is {AttentionHeadDim}. It must be at least 1, or null for one head.");
        if (DownsamplePadding is < 0 or > 1)
            throw new ArgumentException($"downsample_padding is {DownsamplePadding}. It must be 0 or 1.");
        if (!(MiddleScale > 0) || !(NormEpsilon >= 0))
            throw new ArgumentException($"mid_block_scale_factor is {MiddleScale} and norm_eps {NormEpsilon}. They must be positive.");
    }

    /// <summary>Null is no value like others here: it means one head, and an absent key eight channels a head.</summary>
    private static UNet2DConfig NullIsOneHead(JsonObject json, UNet2DConfig config) =>
        json.ContainsKey("attention_head_dim") && json["attention_head_dim"] is null ? config with { AttentionHeadDim = null } : config;

    private static IReadOnlyList<string> Words(IReadOnlyList<bool> attention, string without, string with) =>
        [.. attention.Select(has => has ? with : without)];

    private static IReadOnlyList<bool> Attention(string key, IReadOnlyList<string> words, string without, string with) =>
        [
            .. words.Select(word =>
                word == with ? true
                : word == without ? false
                : throw new FormatException($"{key} holds {word}, but only {without} and {with} are supported")
            ),
        ];

    private static UNet2DConfig OneOf(UNet2DConfig config, string key, string value, params ReadOnlySpan<string> allowed) =>
        allowed.Contains(value)
            ? config
            : throw new FormatException($"{key} is {value}, but only {string.Join(" and ", allowed)} are supported");
}
