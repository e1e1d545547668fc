using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>An opened picture: its header is known, its pixels are read in strips of rows as sRGB or gray, with or without alpha.</summary>
internal sealed class PictureSource : IDisposable
{
    private const int StripBytes = 2 << 20;

    private readonly List<Vips.Image> _stages = [];
    private readonly Stream _stream;
    private readonly List<string> _notes = [];
    private readonly Vips.Image _image;
    private readonly float _fullScale;

    /// <summary>Opens a picture and reads its header.</summary>
    /// <param name="stream">Seekable; owned.</param>
    /// <param name="where">How messages call it.</param>
    /// <param name="options">Pixel limit and colour handling.</param>
    /// <param name="randomAccess">False reads rows from top to bottom only, which needs the least memory.</param>
    public PictureSource(Stream stream, string where, ReadOptions options, bool randomAccess)
    {
        _stream = stream;
        Where = where;
        try
        {
            (Format, int animationFrames) = Sniff(stream, where);
            NativeLibraries.LoadVips();
            Vips.Image header = Keep(
                Guard(() => Load(Format, options.Page ?? 1, randomAccess ? Vips.Enums.Access.Random : Vips.Enums.Access.Sequential))
            );
            (StoredWidth, StoredHeight) = (header.Width, header.Height);
            long pixels = (long)StoredWidth * StoredHeight;
            if (pixels > options.MaxPixels)
                throw new ImageException(
                    string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $"The picture has {StoredWidth}x{StoredHeight} = {pixels / 1e6:0.#} megapixels, more than the limit of "
                            + $"{options.MaxPixels / 1e6:0.#}"
                    ),
                    where,
                    "Crop it, or raise the pixel limit"
                );
            Exif = header.Contains("orientation") && header.Get("orientation") is int orientation ? orientation : 1;
            Frames = header.Contains("n-pages") && header.Get("n-pages") is int pages ? pages : animationFrames;
            if (options.Page is null && Frames > 1)
                _notes.Add($"Only the first of {Frames} {(Format == ImageFormat.Tiff ? "pages" : "frames")} is read");
            BitDepth = Depth(header);
            _image = Guard(() => Convert(header, options));
            _fullScale = _image.Format switch
            {
                Vips.Enums.BandFormat.Uchar => 255,
                Vips.Enums.BandFormat.Ushort => 65535,
                _ => 1,
            };
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Where { get; }
    public ImageFormat Format { get; }
    public int StoredWidth { get; }
    public int StoredHeight { get; }
    public int Exif { get; }
    public int Frames { get; }
    public int BitDepth { get; }
    public int Channels => _image.Bands >= 3 ? 3 : 1;
    public bool HasAlpha => _image.Bands is 2 or 4;
    public IReadOnlyList<string> Notes => _notes;

    public PictureInfo Info =>
        Orientation.Transposes(Exif)
            ? new(Format, StoredHeight, StoredWidth, Channels, HasAlpha, BitDepth, Frames)
            : new(Format, StoredWidth, StoredHeight, Channels, HasAlpha, BitDepth, Frames);

    /// <summary>Decodes a rectangle of the stored (not yet upright) picture.</summary>
    /// <returns>[1,bands,height,width] float32, bands = channels and alpha; the caller owns it.</returns>
    public Tensor Read(int left, int top, int width, int height)
    {
        int bands = _image.Bands,
            sampleBytes = SampleBytes;
        Tensor pixels = FileTensor.Empty(1, bands, height, width);
        try
        {
            int rows = (int)Math.Clamp(StripBytes / ((long)width * bands * sampleBytes), 1, height);
            using Vips.Region region = Guard(() => Vips.Region.New(_image));
            for (int row = 0; row < height; row += rows)
            {
                int count = Math.Min(rows, height - row);
                byte[] strip = Guard(() => region.Fetch(left, top + row, width, count));
                using DisposeScope scope = torch.NewDisposeScope();
                Tensor values = ToFloat(strip, [count, width, bands]);
                pixels.narrow(2, row, count).copy_(values.permute(2, 0, 1).unsqueeze(0));
            }
            return pixels;
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        for (int i = _stages.Count - 1; i >= 0; i--)
            _stages[i].Dispose();
        _stream.Dispose();
    }

    private int SampleBytes =>
        _image.Format switch
        {
            Vips.Enums.BandFormat.Uchar => 1,
            Vips.Enums.BandFormat.Ushort => 2,
            _ => 4,
        };

    private Tensor ToFloat(byte[] strip, long[] shape)
    {
        // Dividing (not multiplying by the reciprocal) gives the values that everyone else computes.
        switch (SampleBytes)
        {
            case 1:
                return torch.tensor(strip, shape).to(ScalarType.Float32).div_(_fullScale);
            case 2:
                Tensor halves = torch.tensor(strip, [.. shape, 2]).to(ScalarType.Float32);
                return (halves.select(3, 0) + halves.select(3, 1) * 256).div_(_fullScale);
            default:
                float[] values = new float[strip.Length / 4];
                Buffer.BlockCopy(strip, 0, values, 0, strip.Length);
                return torch.tensor(values, shape);
        }
    }

    private static (ImageFormat Format, int Frames) Sniff(Stream stream, string where)
    {
        byte[] head = new byte[FormatSniffer.HeadLength];
        int length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (length == 0)
            throw new ImageException("The picture is empty (zero bytes)", where, "Copy or export it again");
        stream.Position = 0;
        (ImageFormat? format, string description) = FormatSniffer.Identify(head.AsSpan(0, length));
        if (format is null)
            throw new ImageException($"This is {description}", where, $"Give a {ImageFormats.Names} file");
        return (format.Value, format == ImageFormat.Png ? FormatSniffer.PngFrames(head.AsSpan(0, length)) : 1);
    }

    private Vips.Image Load(ImageFormat format, int page, Vips.Enums.Access access)
    {
        const Vips.Enums.FailOn FailOn = Vips.Enums.FailOn.Error;
        return format switch
        {
            ImageFormat.Png => Vips.Image.PngloadStream(_stream, access: access, failOn: FailOn),
            ImageFormat.Jpeg => Vips.Image.JpegloadStream(_stream, access: access, failOn: FailOn),
            ImageFormat.WebP => Vips.Image.WebploadStream(_stream, page: page - 1, access: access, failOn: FailOn),
            ImageFormat.Tiff => Vips.Image.TiffloadStream(_stream, page: page - 1, access: access, failOn: FailOn),
            _ => Vips.Image.HeifloadStream(_stream, access: access, failOn: FailOn),
        };
    }

    /// <summary>Gray or sRGB, then alpha; unsigned 8 or 16 bits, or float.</summary>
    private Vips.Image Convert(Vips.Image image, ReadOptions options)
    {
        bool cmyk = image.Interpretation == Vips.Enums.Interpretation.Cmyk;
        int colors =
            cmyk ? 4
            : image.Bands >= 3 ? 3
            : 1;
        if (image.Bands - colors > 1)
            _notes.Add($"{image.Bands - colors - 1} extra channels are ignored");
        Vips.Image color = Normalize(colors == image.Bands ? image : Keep(image.ExtractBand(0, colors)));
        color = ToSrgb(color, cmyk, options);
        if (colors == 1 && color.Bands > 1)
            color = Keep(color.ExtractBand(1));
        if (image.Bands == colors)
            return color;
        Vips.Image alpha = Normalize(Keep(image.ExtractBand(colors)));
        if (alpha.Format == Vips.Enums.BandFormat.Uchar && color.Format == Vips.Enums.BandFormat.Ushort)
            alpha = Keep(Keep(alpha.Linear([257.0], [0.0])).Cast(Vips.Enums.BandFormat.Ushort));
        return Keep(color.Bandjoin(alpha));
    }

    /// <summary>Reduces the sample types of TIFF to those that are read.</summary>
    private Vips.Image Normalize(Vips.Image image) =>
        image.Format switch
        {
            // AVIF's 10 and 12 bits come shifted up, with zeros below: stretch them to the full range.
            Vips.Enums.BandFormat.Ushort when BitDepth is > 8 and < 16 => Keep(
                Keep(image.Linear([65535.0 / (((1 << BitDepth) - 1) << (16 - BitDepth))], [0.5])).Cast(Vips.Enums.BandFormat.Ushort)
            ),
            Vips.Enums.BandFormat.Uchar or Vips.Enums.BandFormat.Ushort or Vips.Enums.BandFormat.Float => image,
            Vips.Enums.BandFormat.Double => Keep(image.Cast(Vips.Enums.BandFormat.Float)),
            Vips.Enums.BandFormat.Uint => Keep(Keep(image.Linear([1.0 / uint.MaxValue], [0.0])).Cast(Vips.Enums.BandFormat.Float)),
            var other => throw new ImageException(
                $"The samples are of type {other.ToString().ToLowerInvariant()}",
                Where,
                "Save it with unsigned 8 or 16 bits or as float"
            ),
        };

    private Vips.Image ToSrgb(Vips.Image color, bool cmyk, ReadOptions options)
    {
        byte[]? profile = color.Contains("icc-profile-data") ? color.Get("icc-profile-data") as byte[] : null;
        if (profile is not null && !ColorProfile.Fits(profile, color.Bands))
        {
            _notes.Add("The embedded colour profile is unusable and was ignored");
            profile = null;
        }
        if (cmyk)
            return Keep(
                color.IccTransform(
                    "srgb",
                    intent: Vips.Enums.Intent.Relative,
                    embedded: profile is not null,
                    inputProfile: "cmyk",
                    depth: 16
                )
            );
        if (color.Interpretation is Vips.Enums.Interpretation.Lab or Vips.Enums.Interpretation.Labs or Vips.Enums.Interpretation.Xyz)
            return Keep(color.Colourspace(Vips.Enums.Interpretation.Rgb16));
        if (profile is null || !options.ApplyProfile || ColorProfile.IsSrgb(profile))
            return color;
        if (color.Format != Vips.Enums.BandFormat.Float)
            return Keep(color.IccTransform("srgb", intent: Vips.Enums.Intent.Relative, embedded: true, depth: 16));
        _notes.Add("The colour profile of a float picture is ignored");
        return color;
    }

    private int Depth(Vips.Image header) =>
        header.Format switch
        {
            Vips.Enums.BandFormat.Uchar => 8,
            Vips.Enums.BandFormat.Ushort => Format == ImageFormat.Avif
            && header.Contains("bits-per-sample")
            && header.Get("bits-per-sample") is int bits
                ? bits
                : 16,
            _ => 32,
        };

    private Vips.Image Keep(Vips.Image image)
    {
        _stages.Add(image);
        return image;
    }

    private T Guard<T>(Func<T> native)
    {
        try
        {
            return native();
        }
        catch (Vips.VipsException exception)
        {
            throw new ImageException(
                $"The {Format.DisplayName()} picture is truncated or damaged",
                Where,
                "Copy or export it again",
                exception
            );
        }
    }
}
