namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="StableDiffusionUNet"/>, named as in diffusers' <c>unet/config.json</c>.</summary>
public sealed record StableDiffusionUNetConfig
{
    private const string Attending = "CrossAttnDownBlock2D",
        Plain = "DownBlock2D",
        AttendingUp = "CrossAttnUpBlock2D",
        PlainUp = "UpBlock2D";

    /// <summary>Channels of the input: those of the latent, and of what is given beside it.</summary>
    public int InChannels { get; init; } = 4;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 4;

    /// <summary>Width of each level.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [];

    /// <summary>Residual blocks of a level on the way down; there is one more on the way up.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Kind of each level on the way down, the finest first.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = [];

    /// <summary>Kind of each level on the way up, the coarsest first.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = [];

    /// <summary>Width of the context's tokens.</summary>
    public int CrossAttentionDim { get; init; } = 1280;

    /// <summary>
    /// NUMBER of heads of each level (<c>attention_head_dim</c>, whose name is a historic mistake); one number stands for all.
    /// </summary>
    public IReadOnlyList<int> Heads { get; init; } = [8];

    /// <summary>Blocks of each transformer.</summary>
    public int TransformerLayers { get; init; } = 1;

    /// <summary>Groups of the norms.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Epsilon of the norms outside the transformers.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Whether the transformers' projections are stored as linear layers (2.x), or as 1x1 convolutions (1.x).</summary>
    public bool UseLinearProjection { get; init; }

    /// <summary>Side of the latents it was trained on; tells nothing about the network.</summary>
    public int? SampleSize { get; init; }

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<StableDiffusionUNetConfig> Keys { get; } =
        new ConfigKeys<StableDiffusionUNetConfig>("Stable Diffusion UNet", new(), config => config.Validate())
        {
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
            { "block_out_channels", c => c.BlockOutChannels, (c, value) => c with { BlockOutChannels = value }, Key.Required | Key.Shown },
            { "layers_per_block", c => c.LayersPerBlock, (c, value) => c with { LayersPerBlock = value }, Key.Shown },
            { "down_block_types", c => c.DownBlockTypes, (c, value) => c with { DownBlockTypes = value }, Key.Required | Key.Shown },
            { "up_block_types", c => c.UpBlockTypes, (c, value) => c with { UpBlockTypes = value }, Key.Required | Key.Shown },
            { "cross_attention_dim", c => c.CrossAttentionDim, (c, value) => c with { CrossAttentionDim = value }, Key.Shown },
            { "attention_head_dim", c => c.Heads, (c, value) => c with { Heads = value } },
            { "transformer_layers_per_block", c => c.TransformerLayers, (c, value) => c with { TransformerLayers = value }, Key.Shown },
            { "norm_num_groups", c => c.NormNumGroups, (c, value) => c with { NormNumGroups = value } },
            { "norm_eps", c => c.NormEps, (c, value) => c with { NormEps = value } },
            { "use_linear_projection", c => c.UseLinearProjection, (c, value) => c with { UseLinearProjection = value }, Key.Shown },
            { "sample_size", c => c.SampleSize, (c, value) => c with { SampleSize = value } },
            { "mid_block_type", "UNetMidBlock2DCrossAttn" },
            { "act_fn", "silu" },
            { "center_input_sample", false },
            { "flip_sin_to_cos", true },
            { "freq_shift", 0 },
            { "only_cross_attention", false },
            { "dual_cross_attention", false },
            { "downsample_padding", 1 },
            { "mid_block_scale_factor", 1.0 },
        };

    /// <summary>Kinds of levels on the way down by whether each has attention.</summary>
    public static IReadOnlyList<string> DownTypes(IEnumerable<bool> attention) => [.. attention.Select(has => has ? Attending : Plain)];

    /// <summary>Kinds of levels on the way up by whether each has attention.</summary>
    public static IReadOnlyList<string> UpTypes(IEnumerable<bool> attention) => [.. attention.Select(has => has ? AttendingUp : PlainUp)];

    /// <summary>Heads of a level.</summary>
    public int HeadsOf(int level) => Heads.Count == 1 ? Heads[0] : Heads[level];

    /// <summary>Whether a level on the way down, counted from the finest, has attention.</summary>
    public bool AttendsDown(int level) => DownBlockTypes[level] == Attending;

    /// <summary>Whether a level on the way up, counted from the coarsest, has attention.</summary>
    public bool AttendsUp(int level) => UpBlockTypes[level] == AttendingUp;

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        int levels = BlockOutChannels.Count;
        if (levels is < 1 or > 16 || BlockOutChannels.Any(width => width is < 1 or > 16384))
            throw new ArgumentException("block_out_channels must be 1 to 16 widths.");
        if (DownBlockTypes.Count != levels || UpBlockTypes.Count != levels)
            throw new ArgumentException($"down_block_types and up_block_types must name {levels} levels, as block_out_channels does.");
        if (DownBlockTypes.FirstOrDefault(type => type is not (Attending or Plain)) is { } down)
            throw new ArgumentException($"down_block_types holds {down}. There are {Attending} and {Plain} here.");
        if (UpBlockTypes.FirstOrDefault(type => type is not (AttendingUp or PlainUp)) is { } up)
            throw new ArgumentException($"up_block_types holds {up}. There are {AttendingUp} and {PlainUp} here.");
        if (Heads.Count != 1 && Heads.Count != levels || Heads.Any(heads => heads < 1))
            throw new ArgumentException($"attention_head_dim must be one number of heads, or {levels}.");
        if (LayersPerBlock is < 1 or > 64 || TransformerLayers is < 1 or > 64)
            throw new ArgumentException("layers_per_block and transformer_layers_per_block must be 1 to 64.");
        if (InChannels < 1 || OutChannels < 1 || CrossAttentionDim < 1 || NormNumGroups < 1)
            throw new ArgumentException("in_channels, out_channels, cross_attention_dim and norm_num_groups must be positive.");
    }
}
