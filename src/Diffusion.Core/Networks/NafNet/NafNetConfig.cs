namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="NafNet"/> in the vocabulary of the published code.</summary>
public sealed record NafNetConfig
{
    private const string Usual = "nafnet",
        Dcpt = "dcpt";

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output, which is added to the last channels of the input.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Width at full size; it doubles with every level.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Blocks of each level on the way down, the finest first.</summary>
    public IReadOnlyList<int> EncoderBlocks { get; init; } = [];

    /// <summary>Blocks at the bottom.</summary>
    public int MiddleBlocks { get; init; } = 1;

    /// <summary>Blocks of each level on the way up, the coarsest first.</summary>
    public IReadOnlyList<int> DecoderBlocks { get; init; } = [];

    /// <summary>Epsilon of the norms.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>
    /// Height and width of the pictures that it was trained on, where attention is computed in windows that are large in their measure
    /// (NAFNetLocal); null: over the whole picture.
    /// </summary>
    public IReadOnlyList<int>? TrainSize { get; init; }

    /// <summary>Height and width of the windows at full size; null: one and a half of <see cref="TrainSize"/>.</summary>
    public IReadOnlyList<int>? BaseSize { get; init; }

    /// <summary>
    /// Pictures are mirrored at the right and bottom up to multiples of this; null: filled with zeros up to those of the levels.
    /// </summary>
    public int? PadTo { get; init; }

    /// <summary>Whether the published names are those of DCPT's copy, <c>decoder0</c> instead of <c>decoders.0</c>.</summary>
    public bool IsDcpt { get; init; }

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<NafNetConfig> Keys { get; } =
        new("NAFNet", new NafNetConfig(), config => config.Validate())
        {
            { "img_channel", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
            { "width", c => c.Width, (c, value) => c with { Width = value }, Key.Required | Key.Shown },
            { "enc_blk_nums", c => c.EncoderBlocks, (c, value) => c with { EncoderBlocks = value }, Key.Required | Key.Shown },
            { "middle_blk_num", c => c.MiddleBlocks, (c, value) => c with { MiddleBlocks = value }, Key.Required | Key.Shown },
            { "dec_blk_nums", c => c.DecoderBlocks, (c, value) => c with { DecoderBlocks = value }, Key.Required | Key.Shown },
            { "layernorm_eps", c => c.NormEpsilon, (c, value) => c with { NormEpsilon = value } },
            { "train_size", c => c.TrainSize, (c, value) => c with { TrainSize = value } },
            { "base_size", c => c.BaseSize, (c, value) => c with { BaseSize = value } },
            { "pad_to", c => c.PadTo, (c, value) => c with { PadTo = value } },
            { "variant", c => c.IsDcpt ? Dcpt : Usual, (c, value) => c with { IsDcpt = IsOfDcpt(value) }, Key.Shown },
            { "dw_expand", 2 },
            { "ffn_expand", 2 },
        };

    /// <summary>Number of times that the picture is halved.</summary>
    public int Levels => EncoderBlocks.Count;

    /// <summary>Windows of the attention at full size; null: the whole picture.</summary>
    public (int Height, int Width)? Window =>
        TrainSize is not { } trained ? null
        : BaseSize is { } given ? (given[0], given[1])
        : (trained[0] * 3 / 2, trained[1] * 3 / 2);

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Levels is < 1 or > 12 || DecoderBlocks.Count != Levels)
            throw new ArgumentException("enc_blk_nums and dec_blk_nums must name 1 to 12 levels, as many in both.");
        if (EncoderBlocks.Concat(DecoderBlocks).Append(MiddleBlocks).Any(blocks => blocks is < 0 or > 1024))
            throw new ArgumentException("enc_blk_nums, middle_blk_num and dec_blk_nums must be 0 to 1024.");
        if (Width is < 1 or > 4096)
            throw new ArgumentException($"width is {Width}. It must be 1 to 4096.");
        if (OutChannels < 1 || InChannels < OutChannels)
            throw new ArgumentException($"out_channels is {OutChannels}. It must be 1 to img_channel, which is {InChannels}.");
        if (TrainSize is { Count: not 2 } || BaseSize is { Count: not 2 } || BaseSize is not null && TrainSize is null)
            throw new ArgumentException("train_size must be a height and a width, and base_size too where both are given.");
        if (TrainSize?.Any(size => size < 1) == true || BaseSize?.Any(size => size < 1) == true)
            throw new ArgumentException("train_size and base_size must be positive.");
        if (PadTo is { } multiple && (multiple < 1 || multiple % (1 << Levels) != 0))
            throw new ArgumentException($"pad_to is {multiple}. It must be a multiple of {1 << Levels}.");
    }

    private static bool IsOfDcpt(string variant) =>
        variant switch
        {
            Dcpt => true,
            Usual or "local" or "structure_correction" => false,
            _ => throw new FormatException($"variant is {variant}, but only {Usual}, local, structure_correction and {Dcpt} are known"),
        };
}
