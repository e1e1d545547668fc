using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>What the values of a TIFF sample are.</summary>
internal enum TiffSamples
{
    Unsigned = 1,
    Signed = 2,
    Float = 3,
}

/// <summary>How the pixels of a TIFF page lie in the file, and what they mean.</summary>
internal sealed record TiffLayout
{
    // The photometric interpretations that are read here.
    public const int White = 0,
        Black = 1,
        Rgb = 2,
        Palette = 3,
        Separated = 5,
        YCbCr = 6,
        CieLab = 8;

    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int Samples { get; init; }
    public required int Bits { get; init; }
    public required int Compression { get; init; }
    public required int Photometric { get; init; }
    public required int Predictor { get; init; }
    public required TiffSamples Format { get; init; }
    public required bool Planar { get; init; }
    public required bool Tiled { get; init; }
    public required int ChunkWidth { get; init; }
    public required int ChunkHeight { get; init; }
    public required int[] Extra { get; init; }

    /// <summary>Samples that are colour, gray, or channels of any meaning; the others are alpha or dropped.</summary>
    public int Channels
    {
        get
        {
            int colors = Photometric switch
            {
                Rgb or YCbCr or CieLab => 3,
                Separated => Samples - Extra.Length,
                _ => 1,
            };
            return HasAlpha || Photometric is Palette ? Math.Min(colors, Samples)
                : Photometric is Black or White ? Samples
                : colors == 3 && Samples == 4 && Extra.Length == 0 ? 3
                : Photometric == Rgb ? Samples
                : colors;
        }
    }

    /// <summary>Whether the sample after the colours is coverage, by the file's own word or, in RGB with four samples, by habit.</summary>
    public bool HasAlpha =>
        Photometric switch
        {
            Rgb => Samples == 4 && (Extra.Length == 0 || Extra[0] is 1 or 2 || !Tagged),
            Black or White => Samples == 2 && Extra is [1 or 2],
            _ => false,
        };

    /// <summary>Whether ExtraSamples says that a sample is no alpha.</summary>
    private bool Tagged => Extra.Length > 0;

    /// <summary>Whether the codec library reads this layout, and rightly.</summary>
    public bool IsPlain
    {
        get
        {
            bool usual =
                (Format == TiffSamples.Unsigned && (Bits is 8 or 16 || (Bits is 1 or 2 or 4 && Samples == 1)))
                || (Format == TiffSamples.Float && Bits == 32);
            // Of palettes it keeps 8 bits.
            bool known = Photometric is White or Black or Rgb or Separated || (Photometric == YCbCr && Compression == Jpeg);
            return usual
                && known
                && IsColour
                && (Compression == Jpeg || !(Planar && Samples > 1))
                && Compression is not (Lzma or Zstandard or OldJpeg);
        }
    }

    private bool IsColour =>
        Photometric switch
        {
            White or Black => Samples == 1 || (Samples == 2 && HasAlpha),
            Rgb => Samples == 3 || (Samples == 4 && HasAlpha),
            Separated => Samples - Extra.Length == 4,
            _ => true,
        };

    public const int OldJpeg = 6,
        Jpeg = 7,
        Lzma = 34925,
        Zstandard = 50000;

    /// <summary>Whether the chunks hold one sample of every pixel, not all.</summary>
    public int SamplesPerChunk => Planar ? 1 : Samples;

    /// <summary>Bytes of a decoded row of a chunk.</summary>
    public long RowBytes => ((long)ChunkWidth * SamplesPerChunk * Bits + 7) / 8;

    public int Across => (Width + ChunkWidth - 1) / ChunkWidth;

    public int Down => (Height + ChunkHeight - 1) / ChunkHeight;

    /// <summary>Reads the layout of a page.</summary>
    /// <exception cref="InvalidDataException">The tags make no sense.</exception>
    /// <exception cref="ImageException">A layout that is not supported, by name.</exception>
    public static TiffLayout Read(TiffDirectory tags, string where)
    {
        int Small(TiffTag tag, long absent) =>
            tags.Integer(tag, absent) is >= 0 and <= int.MaxValue and var value ? (int)value : throw new InvalidDataException();
        int width = Small(TiffTag.Width, 0),
            height = Small(TiffTag.Height, 0),
            samples = Small(TiffTag.SamplesPerPixel, 1);
        bool tiled = tags.Has(TiffTag.TileWidth);
        long[] bits = tags.Has(TiffTag.BitsPerSample) ? tags.Integers(TiffTag.BitsPerSample) : [1],
            formats = tags.Has(TiffTag.SampleFormat) ? tags.Integers(TiffTag.SampleFormat) : [1];
        if (width == 0 || height == 0 || samples is 0 or > 65535 || bits.Length == 0 || formats.Length == 0)
            throw new InvalidDataException();
        if (bits.Distinct().Count() > 1 || formats.Distinct().Count() > 1)
            throw TiffUnsupported.Because("its channels differ in depth", where);
        if (bits[0] is < 1 or > 64)
            throw TiffUnsupported.Because(formats[0] is 5 or 6 ? "its samples are complex" : $"its samples have {bits[0]} bits", where);
        TiffSamples format = formats[0] switch
        {
            1 or 4 => TiffSamples.Unsigned,
            2 => TiffSamples.Signed,
            3 => TiffSamples.Float,
            5 or 6 => throw TiffUnsupported.Because("its samples are complex", where),
            _ => throw TiffUnsupported.Because($"its samples are of an unknown kind ({formats[0]})", where),
        };
        int chunkWidth = tiled ? Small(TiffTag.TileWidth, 0) : width,
            chunkHeight = tiled
                ? Small(TiffTag.TileHeight, 0)
                : (int)Math.Min(height, Math.Max(1, tags.Integer(TiffTag.RowsPerStrip, height)));
        if (chunkWidth == 0 || chunkHeight == 0)
            throw new InvalidDataException();
        return new TiffLayout
        {
            Width = width,
            Height = height,
            Samples = samples,
            Bits = (int)bits[0],
            Compression = Small(TiffTag.Compression, 1),
            Photometric = Small(TiffTag.Photometric, samples >= 3 ? Rgb : Black),
            Predictor = Small(TiffTag.Predictor, 1),
            Format = format,
            Planar = samples > 1 && tags.Integer(TiffTag.PlanarConfiguration, 1) == 2,
            Tiled = tiled,
            ChunkWidth = chunkWidth,
            ChunkHeight = chunkHeight,
            Extra = [.. tags.Integers(TiffTag.ExtraSamples).Select(e => (int)e)],
        };
    }
}
