using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>Pixels that the codec library decodes, in strips of rows.</summary>
internal sealed class VipsPixels : IPixelSource
{
    private const int StripBytes = 2 << 20;

    private readonly List<Vips.Image> _stages = [];
    private readonly List<string> _notes = [];
    private readonly Stream _stream;
    private readonly ReadOptions _options;
    private readonly ImageFormat _format;
    private readonly string _where;
    private readonly bool _randomAccess;
    private Vips.Image _image = null!;
    private float _fullScale;
    private byte[]? _profile;

    /// <summary>Opens a picture and reads its header.</summary>
    /// <param name="stream">Seekable; borrowed.</param>
    /// <param name="format">Its format.</param>
    /// <param name="where">How messages call it.</param>
    /// <param name="options">Page and colour handling.</param>
    /// <param name="randomAccess">False reads rows from top to bottom only, which needs the least memory.</param>
    public VipsPixels(Stream stream, ImageFormat format, string where, ReadOptions options, bool randomAccess)
    {
        (_stream, _format, _where, _options, _randomAccess) = (stream, format, where, options, randomAccess);
        CodecLibrary.Load();
        try
        {
            Open(Vips.Enums.FailOn.Warning);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Width { get; private set; }
    public int Height { get; private set; }
    public int Exif { get; private set; }
    public int Frames { get; private set; }
    public int BitDepth { get; private set; }
    public double FullScale => BitDepth == 32 ? 1 : (1L << BitDepth) - 1;
    public int Channels => _image.Bands >= 3 ? 3 : 1;
    public bool HasAlpha => _image.Bands is 2 or 4;
    public IReadOnlyList<string> Notes => _notes;
    public PictureMetadata Metadata { get; private set; } = PictureMetadata.None;

    /// <inheritdoc/>
    public Tensor Read(int left, int top, int width, int height)
    {
        try
        {
            return Decode(left, top, width, height);
        }
        catch (ImageException exception) when (_format == ImageFormat.Jpeg && IsHarmless(exception))
        {
            // Once more from the start: that warning ends the decoding, though nothing is lost.
            Dispose();
            _stages.Clear();
            _notes.Clear();
            Open(Vips.Enums.FailOn.Error);
            _notes.Add($"The JPEG decoder warns: {Codecs.Cause((Vips.VipsException)exception.InnerException!)}");
            return Decode(left, top, width, height);
        }
    }

    public void Dispose()
    {
        for (int i = _stages.Count - 1; i >= 0; i--)
            _stages[i].Dispose();
    }

    private static bool IsHarmless(ImageException exception) =>
        exception.InnerException is Vips.VipsException vips
        && Codecs.Cause(vips).Contains("extraneous bytes before marker", StringComparison.Ordinal);

    private void Open(Vips.Enums.FailOn failOn)
    {
        _stream.Position = 0;
        bool said = PixelDensity.IsSaid(_stream, _format);
        Vips.Image header = Keep(Guard(() => Load(failOn)));
        (Width, Height) = (header.Width, header.Height);
        Exif = header.Contains("orientation") && header.Get("orientation") is int orientation ? orientation : 1;
        Frames = header.Contains("n-pages") && header.Get("n-pages") is int pages ? pages : 1;
        BitDepth = Depth(header);
        PictureSource.CheckSize(Width, Height, _options, _where);
        _image = Guard(() => Convert(header, _options));
        Metadata = Said(header, said);
        _fullScale = _image.Format switch
        {
            Vips.Enums.BandFormat.Uchar => 255,
            Vips.Enums.BandFormat.Ushort => 65535,
            _ => 1,
        };
    }

    private PictureMetadata Said(Vips.Image header, bool resolution)
    {
        ExifData? exif = ExifData.Of(header.Contains("exif-data") ? header.Get("exif-data") as byte[] : null);
        return new()
        {
            // The library has one in any case.
            Resolution = resolution || exif is { HasResolution: true } ? (header.Xres, header.Yres) : null,
            Profile = _profile,
            Xmp = header.Contains("xmp-data") && header.Get("xmp-data") is byte[] xmp ? System.Text.Encoding.UTF8.GetString(xmp) : null,
            Exif = exif,
        };
    }

    private Tensor Decode(int left, int top, int width, int height)
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

    private Vips.Image Load(Vips.Enums.FailOn failOn)
    {
        Vips.Enums.Access access = _randomAccess ? Vips.Enums.Access.Random : Vips.Enums.Access.Sequential;
        int page = (_options.Page ?? 1) - 1;
        return _format switch
        {
            ImageFormat.Png => Vips.Image.PngloadStream(_stream, access: access, failOn: failOn),
            ImageFormat.Jpeg => Vips.Image.JpegloadStream(_stream, access: access, failOn: failOn),
            ImageFormat.WebP => Vips.Image.WebploadStream(_stream, page: page, access: access, failOn: failOn),
            ImageFormat.Tiff => Vips.Image.TiffloadStream(_stream, page: page, access: access, failOn: failOn),
            _ => Vips.Image.HeifloadStream(_stream, access: access, failOn: failOn),
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
                _where,
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
        if (profile is null)
            return color;
        if (options.ApplyProfile && !ColorProfile.IsSrgb(profile) && color.Format != Vips.Enums.BandFormat.Float)
        {
            _notes.Add($"The colours are converted from {ColorProfile.NameOf(profile)} to sRGB");
            return Keep(color.IccTransform("srgb", intent: Vips.Enums.Intent.Relative, embedded: true, depth: 16));
        }
        // The values stay those of the profile, which is written with them again.
        _profile = profile;
        return color;
    }

    private int Depth(Vips.Image header) =>
        header.Format switch
        {
            Vips.Enums.BandFormat.Uchar => 8,
            Vips.Enums.BandFormat.Ushort => _format == ImageFormat.Avif
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
            throw Codecs.Failure(exception, _format, _where);
        }
    }
}
