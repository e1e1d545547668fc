using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>A TIFF page of a layout that the codec library lacks, decoded whole at the first reading.</summary>
/// <remarks>
/// Unsigned samples of n bits are divided by 2^n - 1, signed ones by 2^(n-1) - 1; floats stay as they are. Pages whose white is zero are
/// turned, CIELAB becomes sRGB.
/// </remarks>
internal sealed class TiffPixels : IPixelSource
{
    // Deflate shrinks to a thousandth at best; fax codes a blank row in a bit.
    private const long MostExpansion = 1100,
        MostFaxPixels = 8192;

    private readonly Stream _stream;
    private readonly TiffDirectory _tags;
    private readonly TiffLayout _layout;
    private readonly string _where;
    private readonly int _page;
    private Tensor? _pixels;

    private TiffPixels(Stream stream, TiffDirectory tags, TiffLayout layout, string where, ReadOptions options)
    {
        (_stream, _tags, _layout, _where, _page) = (stream, tags, layout, where, options.Page ?? 1);
        PictureSource.CheckSize(Width, Height, options, where);
        Check();
        int beyond = layout.Samples - layout.Channels - (HasAlpha ? 1 : 0);
        Notes = [.. beyond > 0 ? [$"{beyond} extra channels are ignored"] : (string[])[]];
        // Its values stay those of the profile, which is written with them again.
        byte[]? profile =
            tags.Has(TiffTag.IccProfile) && layout.Photometric is TiffLayout.Rgb or TiffLayout.Black
                ? tags.Bytes(TiffTag.IccProfile)
                : null;
        Metadata = new() { Profile = profile is not null && ColorProfile.Fits(profile, Channels) ? profile : null };
    }

    public int Width => _layout.Width;
    public int Height => _layout.Height;
    public int Channels =>
        _layout.Photometric switch
        {
            TiffLayout.Palette => IsGray(_tags.Integers(TiffTag.ColorMap)) ? 1 : 3,
            TiffLayout.Separated => 3,
            _ => _layout.Channels,
        };
    public bool HasAlpha => _layout.HasAlpha;
    public int Exif => (int)Math.Clamp(_tags.Integer(TiffTag.Orientation, 1), 0, 9);
    public int Frames => _tags.Pages;
    public int BitDepth => _layout.Format == TiffSamples.Float || _layout.Bits > 16 ? 32 : Math.Max(8, _layout.Bits);
    public double FullScale =>
        _layout.Format switch
        {
            TiffSamples.Unsigned => Math.Pow(2, _layout.Bits) - 1,
            TiffSamples.Signed => Math.Pow(2, _layout.Bits - 1) - 1,
            _ => 1,
        };
    public IReadOnlyList<string> Notes { get; }
    public PictureMetadata Metadata { get; }

    /// <summary>The page, where its layout is one that the codec library lacks; null where that reads it.</summary>
    /// <exception cref="ImageException">Neither reads it; damaged, or unsupported by name.</exception>
    public static TiffPixels? Open(Stream stream, string where, ReadOptions options)
    {
        try
        {
            TiffDirectory tags = TiffDirectory.Read(stream, options.Page ?? 1) ?? throw new InvalidDataException();
            PictureSource.CheckPage(tags.Pages, options, where);
            TiffLayout layout = TiffLayout.Read(tags, where);
            return layout.IsPlain ? null : new TiffPixels(stream, tags, layout, where, options);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw Codecs.Damaged(ImageFormat.Tiff, where, exception);
        }
    }

    public Tensor Read(int left, int top, int width, int height)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _pixels ??= Decode().DetachFromDisposeScope();
        return _pixels.narrow(2, top, height).narrow(3, left, width).clone().MoveToOuterDisposeScope();
    }

    public void Dispose() => _pixels?.Dispose();

    private Tensor Decode()
    {
        try
        {
            using ITiffChunks chunks = Chunks();
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor pixels = FileTensor.Empty(1, _layout.Samples, Height, Width);
            int planes = _layout.Planar ? _layout.Samples : 1;
            for (int plane = 0, index = 0; plane < planes; plane++)
            for (int down = 0; down < _layout.Down; down++)
            for (int across = 0; across < _layout.Across; across++, index++)
                Place(chunks, index, pixels[0], plane, down, across);
            return Colors(pixels).MoveToOuterDisposeScope();
        }
        catch (Exception exception)
            when (exception
                    is InvalidDataException
                        or IOException
                        or IndexOutOfRangeException
                        or OverflowException
                        or SharpCompress.Common.SharpCompressException
                        or ZstdSharp.ZstdException
            )
        {
            throw Codecs.Damaged(ImageFormat.Tiff, _where, exception);
        }
    }

    private ITiffChunks Chunks() =>
        TiffPlainChunks.Knows(_layout.Compression) ? new TiffPlainChunks(_stream, _tags, _layout)
        : _layout.Compression == TiffLayout.Lzma ? new TiffXzChunks(_stream, _tags, _layout, _where)
        : new TiffLibraryChunks(_stream, _page, _layout, _where);

    private void Place(ITiffChunks chunks, int index, Tensor pixels, int plane, int down, int across)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (int top, int left) = (down * _layout.ChunkHeight, across * _layout.ChunkWidth);
        int rows = _layout.Tiled ? _layout.ChunkHeight : Math.Min(_layout.ChunkHeight, Height - top);
        byte[] bytes = chunks.Read(index, checked((int)(_layout.RowBytes * rows)));
        if (bytes.Length < _layout.RowBytes * rows)
            throw new InvalidDataException();
        // [rows, columns, samples] to [samples, rows, columns], without what a tile holds beyond the picture.
        (int height, int width) = (Math.Min(rows, Height - top), Math.Min(_layout.ChunkWidth, Width - left));
        Tensor part = TiffUnpack.Values(bytes, _layout, rows, _where).narrow(0, 0, height).narrow(1, 0, width).permute(2, 0, 1);
        // The quotient is rounded once, as everyone else rounds it.
        part = _layout.Format == TiffSamples.Float ? part : (part.to(ScalarType.Float64) / FullScale).to(ScalarType.Float32);
        pixels.narrow(0, plane, _layout.SamplesPerChunk).narrow(1, top, height).narrow(2, left, width).copy_(part);
    }

    private Tensor Colors(Tensor pixels)
    {
        switch (_layout.Photometric)
        {
            case TiffLayout.White when _layout.Format != TiffSamples.Float:
                return 1 - pixels;
            case TiffLayout.Palette:
                return Look(pixels);
            case TiffLayout.Separated:
                return TiffInks.ToSrgb(pixels.narrow(1, 0, 4), _tags.Has(TiffTag.IccProfile) ? _tags.Bytes(TiffTag.IccProfile) : null);
            case TiffLayout.YCbCr:
                return Rgb(pixels.narrow(1, 0, 1), pixels.narrow(1, 1, 1) - 128.0 / 255, pixels.narrow(1, 2, 1) - 128.0 / 255);
            case TiffLayout.CieLab:
                return Lab(pixels);
            default:
                return pixels.narrow(1, 0, Channels + (HasAlpha ? 1 : 0));
        }
    }

    private Tensor Look(Tensor pixels)
    {
        long[] map = _tags.Integers(TiffTag.ColorMap);
        if (map.Length != 3 << _layout.Bits)
            throw new InvalidDataException();
        // Some write the 8 bits of other formats.
        float white = map.Max() <= byte.MaxValue ? byte.MaxValue : ushort.MaxValue;
        Tensor colors = torch.tensor(Array.ConvertAll(map, v => v / white)).reshape(3, 1 << _layout.Bits).narrow(0, 0, Channels);
        Tensor index = (pixels.flatten() * FullScale).round().to(ScalarType.Int64);
        return colors.index_select(1, index).reshape(1, Channels, Height, Width);
    }

    private static bool IsGray(long[] map)
    {
        ReadOnlySpan<long> colors = map;
        int third = map.Length / 3;
        return third > 0
            && colors[..third].SequenceEqual(colors[third..(2 * third)])
            && colors[..third].SequenceEqual(colors[(2 * third)..]);
    }

    private static Tensor Rgb(Tensor y, Tensor cb, Tensor cr) =>
        torch.cat([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 1).clamp(0, 1);

    private Tensor Lab(Tensor pixels)
    {
        // a* and b* are signed: -128 to 127 in 8 bits, 256 times as fine in 16.
        Tensor signed = pixels.narrow(1, 1, 2) * (_layout.Bits == 8 ? 255 : 65535.0 / 256);
        signed = torch.where(signed.ge(128), signed - 256, signed);
        return CieLab.ToSrgb(torch.cat([pixels.narrow(1, 0, 1) * 100, signed], 1));
    }

    private void Check()
    {
        string? reason = _layout.Photometric switch
        {
            TiffLayout.White or TiffLayout.Black or TiffLayout.Rgb => null,
            TiffLayout.CieLab => _layout.Bits is 8 or 16 && _layout.Format != TiffSamples.Float && Channels == 3
                ? null
                : $"CIELAB in {_layout.Bits} bits",
            TiffLayout.Palette => _layout is { Bits: <= 16, Samples: 1, Format: TiffSamples.Unsigned } ? null : "a palette of floats",
            TiffLayout.Separated => _layout is { Bits: 8 or 16, Format: TiffSamples.Unsigned, Samples: >= 4 }
                ? null
                : "inks other than CMYK",
            TiffLayout.YCbCr => _layout.Bits == 8 && _tags.Integers(TiffTag.YCbCrSubsampling) is [1, 1] && Channels == 3
                ? null
                : "YCbCr colours that are stored more coarsely than the luma",
            9 or 10 => "ICCLAB or ITULAB colours",
            32803 or 34892 => "the raw data of a camera (DNG): convert it with dcraw or rawpy",
            32844 or 32845 => "SGI LogLuv colours",
            var other => $"its colours are of an unknown kind ({other})",
        };
        if (reason is not null)
            throw TiffUnsupported.Because(reason, _where);
        long bytes = _layout.RowBytes * _layout.ChunkHeight;
        if (bytes > Array.MaxLength)
            throw TiffUnsupported.Because("a strip or tile is larger than 2 GB", _where);
        // Nothing is decoded that the file cannot hold.
        long pixels = (long)Width * Height,
            most = _layout.Bits == 1 ? MostFaxPixels : MostExpansion;
        if (pixels / most > _stream.Length || bytes / most / 8 > _stream.Length || (long)_layout.Across * _layout.Down > _stream.Length)
            throw new InvalidDataException();
    }
}
