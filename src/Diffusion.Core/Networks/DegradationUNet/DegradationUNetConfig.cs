namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="DegradationUNet"/>.</summary>
public sealed record DegradationUNetConfig
{
    /// <summary>Side of the squares of pixels that become channels before anything else (<c>patch</c>).</summary>
    public int Patch { get; init; } = 2;

    /// <summary>Width of each level, the finest first (<c>widths</c>).</summary>
    public IReadOnlyList<int> Widths { get; init; } = [48, 96, 160, 256, 256];

    /// <summary>Groups of the norms (<c>groups</c>).</summary>
    public int Groups { get; init; } = 8;

    /// <summary>Width of the embedding of time, kind and intensity (<c>embedding</c>).</summary>
    public int Embedding { get; init; } = 256;

    /// <summary>Number of kinds (<c>kinds</c>).</summary>
    public int Kinds { get; init; } = 6;

    /// <summary>Channels of an attention head at the coarsest level (<c>head_width</c>).</summary>
    public int HeadWidth { get; init; } = 32;

    /// <summary>Sides of pictures must be multiples of this.</summary>
    public int SizeMultiple => Patch << (Widths.Count - 1);

    /// <summary>The constructor arguments by name.</summary>
    public static ConfigKeys<DegradationUNetConfig> Keys { get; } =
        new("degradation UNet", new DegradationUNetConfig(), config => config.Validate())
        {
            { "patch", c => c.Patch, (c, value) => c with { Patch = value }, Key.Shown },
            { "widths", c => c.Widths, (c, value) => c with { Widths = value }, Key.Shown },
            { "groups", c => c.Groups, (c, value) => c with { Groups = value } },
            { "embedding", c => c.Embedding, (c, value) => c with { Embedding = value }, Key.Shown },
            { "kinds", c => c.Kinds, (c, value) => c with { Kinds = value }, Key.Shown },
            { "head_width", c => c.HeadWidth, (c, value) => c with { HeadWidth = value } },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Widths.Count is < 1 or > 10)
            throw new ArgumentException("widths must be 1 to 10 widths.");
        int[] sizes = [Patch, Groups, Embedding, Kinds, HeadWidth, .. Widths];
        if (sizes.Any(size => size is < 1 or > 16384))
            throw new ArgumentException("All sizes must be 1 to 16384.");
        if (Widths.Any(width => width % Groups != 0))
            throw new ArgumentException($"All widths must be multiples of the {Groups} groups of the norms.");
        if (Widths[^1] % HeadWidth != 0 || Widths[^1] % 32 != 0)
            throw new ArgumentException($"The last width, {Widths[^1]}, must be a multiple of 32 and of head_width, {HeadWidth}.");
        if (Embedding % 2 != 0)
            throw new ArgumentException($"embedding is {Embedding}. It must be even.");
    }
}
