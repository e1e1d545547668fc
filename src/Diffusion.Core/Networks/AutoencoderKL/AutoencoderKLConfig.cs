namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="AutoencoderKL"/>, named as in diffusers' <c>vae/config.json</c>.</summary>
public sealed record AutoencoderKLConfig
{
    /// <summary>Channels of the picture that is encoded.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the picture that is decoded.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Width of each level, the finest first.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [];

    /// <summary>Residual blocks of a level in the encoder; there is one more in the decoder.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>Groups of the norms.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>What latents are multiplied with before a UNet sees them.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Side of the pictures that it was trained on; tells nothing about the network.</summary>
    public int? SampleSize { get; init; }

    private IReadOnlyList<string> DownBlockTypes { get; init; } = [];

    private IReadOnlyList<string> UpBlockTypes { get; init; } = [];

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<AutoencoderKLConfig> Keys { get; } =
        new ConfigKeys<AutoencoderKLConfig>("Stable Diffusion autoencoder", new(), config => config.Validate())
        {
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
            { "latent_channels", c => c.LatentChannels, (c, value) => c with { LatentChannels = value }, Key.Shown },
            { "block_out_channels", c => c.BlockOutChannels, (c, value) => c with { BlockOutChannels = value }, Key.Required | Key.Shown },
            { "layers_per_block", c => c.LayersPerBlock, (c, value) => c with { LayersPerBlock = value }, Key.Shown },
            { "norm_num_groups", c => c.NormNumGroups, (c, value) => c with { NormNumGroups = value } },
            { "scaling_factor", c => c.ScalingFactor, (c, value) => c with { ScalingFactor = value } },
            { "sample_size", c => c.SampleSize, (c, value) => c with { SampleSize = value } },
            { "down_block_types", c => c.TypesOf(c.DownBlockTypes, Down), (c, value) => c with { DownBlockTypes = value } },
            { "up_block_types", c => c.TypesOf(c.UpBlockTypes, Up), (c, value) => c with { UpBlockTypes = value } },
            { "act_fn", "silu" },
        };

    private const string Down = "DownEncoderBlock2D",
        Up = "UpDecoderBlock2D";

    /// <summary>Pixels of the picture for one of the latent, in each direction.</summary>
    public int Factor => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (BlockOutChannels.Count is < 1 or > 16 || BlockOutChannels.Any(width => width is < 1 or > 16384))
            throw new ArgumentException("block_out_channels must be 1 to 16 widths.");
        if (LayersPerBlock is < 1 or > 64)
            throw new ArgumentException($"layers_per_block is {LayersPerBlock}. It must be 1 to 64.");
        if (InChannels < 1 || OutChannels < 1 || LatentChannels < 1 || NormNumGroups < 1)
            throw new ArgumentException("in_channels, out_channels, latent_channels and norm_num_groups must be positive.");
        if (!(ScalingFactor > 0 && double.IsFinite(ScalingFactor)))
            throw new ArgumentException($"scaling_factor is {ScalingFactor}. It must be positive.");
        if (DownBlockTypes.Concat(UpBlockTypes).FirstOrDefault(type => type is not (Down or Up)) is { } type)
            throw new ArgumentException($"A block type is {type}. There are {Down} and {Up} here.");
    }

    private IReadOnlyList<string> TypesOf(IReadOnlyList<string> given, string usual) =>
        given.Count > 0 ? given : [.. BlockOutChannels.Select(_ => usual)];
}
