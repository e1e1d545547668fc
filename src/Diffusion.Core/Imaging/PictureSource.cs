using Diffusion.Arrays;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>An opened picture: its header is known, its pixels are read by whoever decodes its format.</summary>
internal sealed class PictureSource : IDisposable
{
    private readonly Stream _stream;
    private readonly IPixelSource _pixels;
    private readonly List<string> _notes = [];
    private readonly int _frames;

    /// <summary>Opens a picture and reads its header.</summary>
    /// <param name="stream">Seekable; owned.</param>
    /// <param name="where">How messages call it.</param>
    /// <param name="options">Pixel limit, page and colour handling.</param>
    /// <param name="randomAccess">False reads rows from top to bottom only, which needs the least memory.</param>
    public PictureSource(Stream stream, string where, ReadOptions options, bool randomAccess)
    {
        _stream = stream;
        IPixelSource? pixels = null;
        try
        {
            (Format, int animationFrames) = Sniff(stream, where);
            pixels = Open(stream, where, options, randomAccess);
            _frames = Math.Max(pixels.Frames, animationFrames);
            if (options.Page is null && _frames > 1)
                _notes.Add(
                    Format is ImageFormat.Tiff or ImageFormat.Fits
                        ? $"Only the first of {_frames} pages is read; --pages all or --pages N takes others"
                        : $"Only the first of {_frames} frames is read"
                );
            CheckPage(pixels.Frames, options, where);
            if (!options.AnyChannels && pixels.Channels is not (1 or 3))
                throw new ImageException(
                    $"The picture has {pixels.Channels} channels that are no colours",
                    where,
                    "Save the channels one by one, or three as RGB"
                );
            _pixels = pixels;
            Metadata = Format == ImageFormat.Tiff ? TiffMetadata.Read(stream, options.Page ?? 1, pixels.Metadata) : pixels.Metadata;
        }
        catch
        {
            pixels?.Dispose();
            _stream.Dispose();
            throw;
        }
    }

    public ImageFormat Format { get; }
    public int StoredWidth => _pixels.Width;
    public int StoredHeight => _pixels.Height;
    public int Exif => _pixels.Exif;
    public int BitDepth => _pixels.BitDepth;
    public double FullScale => _pixels.FullScale;
    public int Channels => _pixels.Channels;
    public bool HasAlpha => _pixels.HasAlpha;
    public PictureMetadata Metadata { get; }
    public IReadOnlyList<string> Notes => [.. _notes, .. _pixels.Notes];

    public PictureInfo Info =>
        Orientation.Transposes(Exif)
            ? new(Format, StoredHeight, StoredWidth, Channels, HasAlpha, BitDepth, _frames)
            : new(Format, StoredWidth, StoredHeight, Channels, HasAlpha, BitDepth, _frames);

    /// <summary>Decodes a rectangle of the stored (not yet upright) picture.</summary>
    /// <returns>[1,bands,height,width] float32, bands = channels and alpha; the caller owns it.</returns>
    public Tensor Read(int left, int top, int width, int height) => _pixels.Read(left, top, width, height);

    public void Dispose()
    {
        _pixels.Dispose();
        _stream.Dispose();
    }

    /// <summary>Refuses a page that the file does not have.</summary>
    /// <exception cref="ImageException">There are fewer.</exception>
    public static void CheckPage(int pages, ReadOptions options, string where)
    {
        if (options.Page > pages)
            throw new ImageException($"There is no page {options.Page}", where, $"The file has pages 1 to {pages}");
    }

    /// <summary>Refuses pictures beyond the limit before anything is decoded.</summary>
    /// <exception cref="ImageException">Too many pixels.</exception>
    public static void CheckSize(int width, int height, ReadOptions options, string where)
    {
        long pixels = (long)width * height;
        if (pixels > options.MaxPixels)
            throw new ImageException(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"The picture has {width}x{height} = {pixels / 1e6:0.#} megapixels, more than the limit of "
                        + $"{options.MaxPixels / 1e6:0.#}"
                ),
                where,
                "Crop it, or raise the pixel limit"
            );
    }

    private IPixelSource Open(Stream stream, string where, ReadOptions options, bool randomAccess)
    {
        if (Format == ImageFormat.Fits)
            return new FitsPixels(stream, where, options);
        return Format == ImageFormat.Tiff && TiffPixels.Open(stream, where, options) is { } tiff
            ? tiff
            : new VipsPixels(stream, Format, where, options, randomAccess);
    }

    private static (ImageFormat Format, int Frames) Sniff(Stream stream, string where)
    {
        byte[] head = new byte[FormatSniffer.HeadLength];
        int length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (length == 0)
            throw new ImageException("The picture is empty (zero bytes)", where, "Copy or export it again");
        stream.Position = 0;
        if (CameraRaw.Refusal(stream, head.AsSpan(0, length), where) is { } refusal)
            throw refusal;
        (ImageFormat? format, string description) = FormatSniffer.Identify(head.AsSpan(0, length));
        if (format is null)
            throw new ImageException($"This is {description}", where, $"Give a {ImageFormats.Names} file");
        return (format.Value, format == ImageFormat.Png ? FormatSniffer.PngFrames(head.AsSpan(0, length)) : 1);
    }
}
