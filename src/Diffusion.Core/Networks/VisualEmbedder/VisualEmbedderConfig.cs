namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="VisualEmbedder"/> in the vocabulary of the published code.</summary>
public sealed record VisualEmbedderConfig
{
    /// <summary>Channels of the picture (<c>in_channels</c>).</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Width that <see cref="ChannelMult"/> multiplies (<c>ch</c>).</summary>
    public int Channels { get; init; } = 64;

    /// <summary>Width of each level (<c>ch_mult</c>).</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 2, 2, 4, 8];

    /// <summary>Residual blocks of a level (<c>num_res_blocks</c>).</summary>
    public int NumResBlocks { get; init; } = 2;

    /// <summary>Levels of these sides have attention, counted from <see cref="Resolution"/> (<c>attn_resolutions</c>).</summary>
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16];

    /// <summary>The nominal side of pictures (<c>resolution</c>); others are computed too.</summary>
    public int Resolution { get; init; } = 512;

    /// <summary>Channels of the encoder's result (<c>z_channels</c>).</summary>
    public int ZChannels { get; init; } = 512;

    /// <summary>Number of codes (<c>n_embed</c>).</summary>
    public int NumCodes { get; init; } = 1024;

    /// <summary>Width of a code (<c>embed_dim</c>).</summary>
    public int EmbedDim { get; init; } = 512;

    /// <summary>Number of heads (<c>head_size</c>, whose name is a mistake).</summary>
    public int Heads { get; init; } = 1;

    /// <summary>Tokens of a picture (<c>n_min</c>).</summary>
    public int Tokens { get; init; } = 77;

    /// <summary>Groups of the norms.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Epsilon of the norms.</summary>
    public double NormEps { get; init; } = 1e-6;

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<VisualEmbedderConfig> Keys { get; } =
        new ConfigKeys<VisualEmbedderConfig>("visual representation embedder", new(), config => config.Validate())
        {
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "ch", c => c.Channels, (c, value) => c with { Channels = value }, Key.Shown },
            { "ch_mult", c => c.ChannelMult, (c, value) => c with { ChannelMult = value }, Key.Shown },
            { "num_res_blocks", c => c.NumResBlocks, (c, value) => c with { NumResBlocks = value }, Key.Shown },
            { "attn_resolutions", c => c.AttnResolutions, (c, value) => c with { AttnResolutions = value }, Key.Shown },
            { "resolution", c => c.Resolution, (c, value) => c with { Resolution = value } },
            { "z_channels", c => c.ZChannels, (c, value) => c with { ZChannels = value }, Key.Shown },
            { "n_embed", c => c.NumCodes, (c, value) => c with { NumCodes = value }, Key.Shown },
            { "embed_dim", c => c.EmbedDim, (c, value) => c with { EmbedDim = value }, Key.Shown },
            { "head_size", c => c.Heads, (c, value) => c with { Heads = value } },
            { "n_min", c => c.Tokens, (c, value) => c with { Tokens = value } },
            { "norm_groups", c => c.NormGroups, (c, value) => c with { NormGroups = value } },
            { "norm_eps", c => c.NormEps, (c, value) => c with { NormEps = value } },
            { "double_z", false },
            { "enable_mid", true },
        }.Reading(["out_ch"]);

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (ChannelMult.Count is < 1 or > 16 || ChannelMult.Any(factor => factor is < 1 or > 1024))
            throw new ArgumentException("ch_mult must be 1 to 16 factors.");
        if (new[] { InChannels, Channels, NumResBlocks, ZChannels, NumCodes, EmbedDim, Heads, Tokens, NormGroups }.Any(n => n < 1))
            throw new ArgumentException("All sizes must be positive.");
    }
}
