namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="FaceUNet"/>.</summary>
public sealed record FaceUNetConfig
{
    /// <summary>Side of the faces in pixels (<c>side</c>).</summary>
    public int Side { get; init; } = 256;

    /// <summary>Side of the squares of pixels that become channels before anything else (<c>patch</c>).</summary>
    public int Patch { get; init; } = 2;

    /// <summary>Width of each level, the finest first (<c>widths</c>).</summary>
    public IReadOnlyList<int> Widths { get; init; } = [32, 64, 96, 160, 256];

    /// <summary>How many of the coarsest levels look at the visual tokens (<c>attentive_levels</c>).</summary>
    public int AttentiveLevels { get; init; } = 2;

    /// <summary>Channels of an attention head (<c>head_width</c>).</summary>
    public int HeadWidth { get; init; } = 32;

    /// <summary>Groups of the norms (<c>groups</c>).</summary>
    public int Groups { get; init; } = 8;

    /// <summary>How often the embedder's picture is smaller than the face (<c>glance</c>).</summary>
    public int Glance { get; init; } = 4;

    /// <summary>Widths of the embedder's levels, the finest first (<c>token_widths</c>).</summary>
    public IReadOnlyList<int> TokenWidths { get; init; } = [32, 64, 128];

    /// <summary>Number of codes (<c>codes</c>).</summary>
    public int Codes { get; init; } = 512;

    /// <summary>Width of a code (<c>code_width</c>).</summary>
    public int CodeWidth { get; init; } = 8;

    /// <summary>Width of a token as the UNet sees it (<c>context</c>).</summary>
    public int Context { get; init; } = 128;

    /// <summary>
    /// Whether the levels that look at the tokens also get each one where it lies in the face (<c>placed_tokens</c>).
    /// </summary>
    public bool PlacedTokens { get; init; }

    /// <summary>Side of the grid of tokens.</summary>
    public int TokenSide => Side / Glance >> (TokenWidths.Count - 1);

    /// <summary>Sides of pictures must be multiples of this.</summary>
    public int SizeMultiple => Patch << (Widths.Count - 1);

    /// <summary>The constructor arguments by name.</summary>
    public static ConfigKeys<FaceUNetConfig> Keys { get; } =
        new("face UNet", new FaceUNetConfig(), config => config.Validate())
        {
            { "side", c => c.Side, (c, value) => c with { Side = value }, Key.Shown },
            { "patch", c => c.Patch, (c, value) => c with { Patch = value }, Key.Shown },
            { "widths", c => c.Widths, (c, value) => c with { Widths = value }, Key.Shown },
            { "attentive_levels", c => c.AttentiveLevels, (c, value) => c with { AttentiveLevels = value }, Key.Shown },
            { "head_width", c => c.HeadWidth, (c, value) => c with { HeadWidth = value } },
            { "groups", c => c.Groups, (c, value) => c with { Groups = value } },
            { "glance", c => c.Glance, (c, value) => c with { Glance = value }, Key.Shown },
            { "token_widths", c => c.TokenWidths, (c, value) => c with { TokenWidths = value }, Key.Shown },
            { "codes", c => c.Codes, (c, value) => c with { Codes = value }, Key.Shown },
            { "code_width", c => c.CodeWidth, (c, value) => c with { CodeWidth = value }, Key.Shown },
            { "context", c => c.Context, (c, value) => c with { Context = value }, Key.Shown },
            { "placed_tokens", c => c.PlacedTokens, (c, value) => c with { PlacedTokens = value }, Key.Shown },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Widths.Count is < 1 or > 10 || TokenWidths.Count is < 1 or > 10)
            throw new ArgumentException("widths and token_widths must be 1 to 10 widths.");
        int[] sizes = [Side, Patch, HeadWidth, Groups, Glance, Codes, CodeWidth, Context, .. Widths, .. TokenWidths];
        if (sizes.Any(size => size is < 1 or > 16384))
            throw new ArgumentException("All sizes must be 1 to 16384.");
        if (Widths.Concat(TokenWidths).Any(width => width % Groups != 0))
            throw new ArgumentException($"All widths must be multiples of the {Groups} groups of the norms.");
        if (Context % 4 != 0)
            throw new ArgumentException($"context is {Context}. It must be a multiple of 4.");
        if (AttentiveLevels < 1 || AttentiveLevels > Widths.Count)
            throw new ArgumentException($"attentive_levels is {AttentiveLevels}. It must be 1 to {Widths.Count}.");
        if (Widths.TakeLast(AttentiveLevels).Any(width => width % HeadWidth != 0))
            throw new ArgumentException($"The widths of levels with attention must be multiples of head_width, {HeadWidth}.");
        if (Side % SizeMultiple != 0 || Side % (Glance << (TokenWidths.Count - 1)) != 0)
            throw new ArgumentException($"side is {Side}. It must be a multiple of what the levels divide it by.");
    }
}
