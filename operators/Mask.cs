using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// y = m x with m = 1 at known and 0 at missing pixels: inpainting. The measurement has the picture's shape; missing values are 0 in it.
/// </summary>
[Operator(
    "mask",
    About = "Removes pixels: inpainting",
    Examples = "mask:random=0.8\nmask:box=64x64+32+32\nmask:box=center\nmask:text=\"Lorem ipsum\"\nmask:stripes=4"
)]
public sealed record Mask : OperatorSpec
{
    /// <summary>The fraction of pixels that are missing (an exact count, at places that <see cref="Seed"/> decides).</summary>
    [Setting(Min = 0, Max = 1)]
    public double? Random { get; init; }

    /// <summary>A missing rectangle: WxH+X+Y, WxH or <c>center</c>.</summary>
    [Setting]
    public Region? Box { get; init; }

    /// <summary>A picture, or an array (.npy, .npz, .mat, .h5, .fits, a text of numbers); values below the threshold are missing.</summary>
    [Setting]
    public string? File { get; init; }

    /// <summary>Values of the file below this are missing; arrays that exceed 1 are divided by their largest value.</summary>
    [Setting(Min = 0, Max = 1)]
    public double Threshold { get; init; } = 0.5;

    /// <summary>Whether known and missing change places: for files that are white where the picture is to be filled in.</summary>
    [Setting]
    public bool Invert { get; init; }

    /// <summary>What of the file counts: luma (the mean of its colours), alpha, or auto: alpha where it alone has a shape.</summary>
    [Setting]
    public MaskChannel Channel { get; init; }

    /// <summary>With a file of several planes: which one, counted from 1.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int? Page { get; init; }

    /// <summary>With a .npz, .mat or .h5 file of several arrays: the name of one.</summary>
    [Setting]
    public string? Key { get; init; }

    /// <summary>With a FITS file: which unit, counted from 0.</summary>
    [Setting(Min = 0, Max = 100_000)]
    public int? Hdu { get; init; }

    /// <summary>Letters that cover the picture, repeated line by line.</summary>
    [Setting]
    public string? Text { get; init; }

    /// <summary>Width of vertical stripes, known and missing in turn.</summary>
    [Setting(Unit = "pixels", Min = 1, Max = 4096)]
    public int? Stripes { get; init; }

    /// <summary>Seed of the random places.</summary>
    [Setting]
    public ulong Seed { get; init; }

    /// <summary>Whether each channel has random places of its own.</summary>
    [Setting]
    public bool PerChannel { get; init; }

    /// <summary>The operator of a mask that is at hand.</summary>
    /// <param name="input">The picture.</param>
    /// <param name="mask">[H,W] or [C,H,W]; nonzero = known. Borrowed.</param>
    /// <exception cref="ArgumentException">The mask does not have the shape of the picture.</exception>
    public static LinearOperator Of(ImageShape input, Tensor mask)
    {
        using ComputeScope scope = new();
        if (
            !mask.shape.SequenceEqual([input.Height, input.Width]) && !mask.shape.SequenceEqual([input.Channels, input.Height, input.Width])
        )
            throw new ArgumentException(
                $"The mask is [{string.Join(",", mask.shape)}] but the picture is {input}. Pass [H,W] or [C,H,W].",
                nameof(mask)
            );
        return new MaskOperator(input, mask.ne(0).to(ScalarType.Float32).expand(input.Channels, input.Height, input.Width).contiguous());
    }

    /// <summary>The mask, [C,H,W] float32 with 1 = known; the caller owns it.</summary>
    public Tensor BuildMask(ImageShape input)
    {
        using ComputeScope scope = new();
        Tensor mask = this switch
        {
            { Random: { } fraction } => RandomMask(input, fraction),
            { Box: { } box } => BoxMask(input, box),
            { File: not null } => FileMask(input),
            { Text: { } text } => LetterMask.Draw(text, input.Height, input.Width),
            _ => (torch.arange(input.Width) / Stripes!.Value).floor().remainder(2).eq(0).expand(input.Height, input.Width),
        };
        mask = mask.to(ScalarType.Float32);
        // A file's values have changed places already, so that its threshold means the same either way.
        if (Invert && File is null)
            mask = 1 - mask;
        return scope.Return((mask.dim() == 3 ? mask : mask.expand(input.Channels, -1, -1)).contiguous());
    }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device) => new MaskOperator(input, BuildMask(input).to(device));

    /// <inheritdoc/>
    public override AreaOperators ByArea(ImageShape picture, Device device)
    {
        Tensor mask = BuildMask(picture).DetachFromDisposeScope();
        return new AreaOperators(
            1,
            1,
            1,
            area => new MaskOperator(
                picture with
                {
                    Height = area.Height,
                    Width = area.Width,
                },
                mask.narrow(1, area.Top, area.Height).narrow(2, area.Left, area.Width).to(device).contiguous()
            ),
            mask
        );
    }

    /// <inheritdoc/>
    protected override void Validate()
    {
        string[] given =
        [
            .. new (string Key, bool Set)[]
            {
                ("random", Random is not null),
                ("box", Box is not null),
                ("file", File is not null),
                ("text", Text is not null),
                ("stripes", Stripes is not null),
            }
                .Where(p => p.Set)
                .Select(p => p.Key),
        ];
        if (given.Length == 0)
            throw Error("The mask has no pattern", "Give one of random, box, file, text, stripes");
        if (given.Length > 1)
            throw Error($"The mask has {given.Length} patterns: {string.Join(", ", given)}", "Give one; join several masks with |");
        if (Text is { } text && text.AsSpan().Trim().Length == 0)
            throw Error("The mask's text is empty");
        if (PerChannel && Random is null)
            throw Error("per-channel belongs to random");
        if (File is null && (Channel != MaskChannel.Auto || Page is not null || Key is not null || Hdu is not null))
            throw Error("channel, page, key and hdu belong to a mask from a file", "Write mask:file=FILE");
    }

    private Tensor RandomMask(ImageShape input, double fraction)
    {
        int channels = PerChannel ? input.Channels : 1;
        long pixels = (long)input.Height * input.Width,
            missing = (long)Math.Round(fraction * pixels, MidpointRounding.AwayFromZero);
        Tensor mask = torch.ones(channels, pixels);
        for (int c = 0; c < channels; c++)
        {
            using Tensor order = Permutation.Random(pixels, Seed, c);
            mask[c].index_fill_(0, order.slice(0, 0, missing, 1), 0);
        }
        return PerChannel ? mask.reshape(channels, input.Height, input.Width) : mask.reshape(input.Height, input.Width);
    }

    private Tensor BoxMask(ImageShape input, Region box)
    {
        (int x, int y, int width, int height) = box.In(input);
        if (x < 0 || y < 0 || x + (long)width > input.Width || y + (long)height > input.Height)
            throw Error(
                $"The box {box} reaches beyond the picture of {input.Width}x{input.Height} pixels (width x height)",
                "Boxes are WIDTHxHEIGHT+X+Y"
            );
        Tensor mask = torch.ones(input.Height, input.Width);
        mask.narrow(0, y, height).narrow(1, x, width).zero_();
        return mask;
    }

    /// <summary>The file's mask in its own size, [rows, columns] float32 with 1 = known; the caller owns it.</summary>
    public Tensor ReadFile()
    {
        using ComputeScope scope = new();
        Tensor known = MaskFile.Read(this).Values.ge(Threshold);
        return scope.Return((Invert ? known.logical_not() : known).to(ScalarType.Float32));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notes()
    {
        if (File is null)
            return [];
        using ComputeScope scope = new();
        return MaskFile.Read(this).Notes;
    }

    private Tensor FileMask(ImageShape input)
    {
        Tensor mask = ReadFile();
        if (mask.shape[0] != input.Height || mask.shape[1] != input.Width)
            throw Error(
                $"The mask is {mask.shape[0]}x{mask.shape[1]} but the picture is {input.Height}x{input.Width} (height x width)",
                "Pass --resize-mask, or transpose it"
            );
        return mask;
    }
}
