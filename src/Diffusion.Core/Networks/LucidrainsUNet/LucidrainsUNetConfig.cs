namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="LucidrainsUNet"/>, in the vocabulary of the published code.</summary>
public sealed record LucidrainsUNetConfig
{
    /// <summary>The version of the published code, which decides norms, memory and names.</summary>
    public LucidrainsVersion Version { get; init; } = new("2.3.1");

    /// <summary>Base width; a quarter of the time embedding's.</summary>
    public int Dim { get; init; }

    /// <summary>Width of the first convolution and of the end; null: <see cref="Dim"/>.</summary>
    public int? InitDim { get; init; }

    /// <summary>Width of each level's end as a multiple of <see cref="Dim"/>.</summary>
    public IReadOnlyList<int> DimMults { get; init; } = [1, 2, 4, 8];

    /// <summary>Channels of the picture.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Channels of the output; null: those of the picture. Twice as many where the variance is learned.</summary>
    public int? OutDim { get; init; }

    /// <summary>Whether the network sees an earlier estimate beside the picture.</summary>
    public bool SelfCondition { get; init; }

    /// <summary>Period of the slowest wave of the time, over 2 pi.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>Heads of attention, of each level or of all.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [4];

    /// <summary>Width of a head, of each level or of all.</summary>
    public IReadOnlyList<int> HeadDim { get; init; } = [32];

    /// <summary>Whether attention is full or linear, of each level; empty: full in the last level, in none before version 1.8.</summary>
    public IReadOnlyList<bool> FullAttention { get; init; } = [];

    /// <summary>Groups of the blocks' normalisations before version 2.</summary>
    public int Groups { get; init; } = 8;

    /// <summary>Whether the time enters by Fourier features, which is not supported.</summary>
    public bool FourierTime { get; init; }

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<LucidrainsUNetConfig> Keys { get; } =
        new ConfigKeys<LucidrainsUNetConfig>("Unet of denoising_diffusion_pytorch", new LucidrainsUNetConfig(), config => config.Validate())
        {
            { "version", c => c.Version.Name, (c, value) => c with { Version = new LucidrainsVersion(value) }, Key.Required | Key.Shown },
            { "dim", c => c.Dim, (c, value) => c with { Dim = value }, Key.Required | Key.Shown },
            { "init_dim", c => c.InitDim, (c, value) => c with { InitDim = value }, Key.Shown },
            { "dim_mults", c => c.DimMults, (c, value) => c with { DimMults = value }, Key.Shown },
            { "channels", c => c.Channels, (c, value) => c with { Channels = value }, Key.Shown },
            { "out_dim", c => c.OutDim, (c, value) => c with { OutDim = value }, Key.Shown },
            { "self_condition", c => c.SelfCondition, (c, value) => c with { SelfCondition = value }, Key.Shown },
            { "sinusoidal_pos_emb_theta", c => c.Theta, (c, value) => c with { Theta = value } },
            { "attn_heads", c => c.Heads, (c, value) => c with { Heads = value }, Key.Shown },
            { "attn_dim_head", c => c.HeadDim, (c, value) => c with { HeadDim = value }, Key.Shown },
            { "full_attn", c => c.FullAttention, (c, value) => c with { FullAttention = value }, Key.Shown },
            // Shapes show which numbers of groups are possible; the usual one of them is taken.
            { "resnet_block_groups", c => c.Groups, (c, value) => c with { Groups = value }, Key.Shown },
            { "learned_sinusoidal_cond", c => c.FourierTime, (c, value) => c with { FourierTime = value }, Key.Shown },
        }.Reading(["dropout", "flash_attn"]);

    /// <summary>Widths between the levels, the finest first.</summary>
    public IReadOnlyList<int> Widths => [InitDim ?? Dim, .. DimMults.Select(multiple => multiple * Dim)];

    /// <summary>Stride of the network: sizes must be multiples of it.</summary>
    public int SizeMultiple => 1 << (DimMults.Count - 1);

    /// <summary>Heads and their width at a level.</summary>
    public (int Heads, int Width) HeadsOf(int level) => (At(Heads, level), At(HeadDim, level));

    /// <summary>Whether attention at a level is full.</summary>
    public bool IsFull(int level) => FullAttention.Count > 0 ? At(FullAttention, level) : Version.PlainNames && level == DimMults.Count - 1;

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot; the message says why.</exception>
    public void Validate()
    {
        int levels = DimMults.Count;
        if (levels is < 1 or > 12)
            throw new ArgumentException($"dim_mults has {levels} levels. It must have 1 to 12.");
        if (Dim is < 4 or > 16384 || Dim % 2 != 0 || Widths.Any(width => width is < 1 or > 65536))
            throw new ArgumentException(
                $"dim is {Dim} and the widths are {string.Join(", ", Widths)}. dim must be even, all of them positive."
            );
        if (Channels is < 1 or > 1024 || OutDim is < 1 or > 2048)
            throw new ArgumentException($"channels is {Channels} and out_dim {OutDim}. They must be 1 to 1024 and 1 to 2048.");
        foreach ((string key, int count) in new[] { ("attn_heads", Heads.Count), ("attn_dim_head", HeadDim.Count) })
            if (count != 1 && count != levels)
                throw new ArgumentException($"{key} has {count} values for {levels} levels. Give one, or one for each.");
        if (FullAttention.Count > 1 && FullAttention.Count != levels)
            throw new ArgumentException($"full_attn has {FullAttention.Count} values for {levels} levels. Give one, or one for each.");
        if (Heads.Concat(HeadDim).Any(value => value is < 1 or > 65536))
            throw new ArgumentException("attn_heads and attn_dim_head must be positive.");
        if (!Version.RootMeanSquareBlocks && (Groups < 1 || Widths.Any(width => width % Groups != 0)))
            throw new ArgumentException(
                $"The widths are {string.Join(", ", Widths)}. They must be multiples of resnet_block_groups, {Groups}."
            );
        if (!(Theta > 1))
            throw new ArgumentException($"sinusoidal_pos_emb_theta is {Theta}. It must be above 1.");
        if (FourierTime)
            throw new ArgumentException("Learned or random Fourier features of the time are not supported.");
    }

    private static T At<T>(IReadOnlyList<T> values, int level) => values.Count == 1 ? values[0] : values[level];
}
