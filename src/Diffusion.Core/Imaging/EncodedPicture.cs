using System.Runtime.InteropServices;
using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>A picture quantised to a format's samples, ready to be saved to a stream.</summary>
internal sealed unsafe class EncodedPicture : IEncodedPicture
{
    private const int StripBytes = 2 << 20;

    private readonly ImageFormat _format;
    private readonly WriteOptions _options;
    private readonly string _where;
    private readonly int _bits;
    private readonly void* _samples;
    private readonly long _length;
    private readonly Vips.Image _image;

    /// <summary>Checks and quantises.</summary>
    /// <param name="pixels">[1,C,H,W] or [C,H,W] on [0,1].</param>
    /// <param name="alpha">[1,1,H,W] or null.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">Bit depth and quality.</param>
    /// <param name="where">How messages call the output.</param>
    public EncodedPicture(Tensor pixels, Tensor? alpha, ImageFormat format, WriteOptions options, string where)
    {
        (int height, int width) = PictureShape.Check(pixels, alpha);
        if (Math.Max(height, width) > format.LongestSide())
            throw new ImageException(
                $"{format.DisplayName()} cannot hold {width}x{height} pixels: its longest side is {format.LongestSide()}",
                where,
                "Write PNG or TIFF"
            );
        (_format, _options, _where) = (format, options, where);
        _bits = format.StoredBits(options.BitDepth ?? 8);
        CodecLibrary.Load();
        NativeLibraries.LoadTorch();

        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor color = pixels.reshape(pixels.shape[^3], height, width).detach().cpu();
        Tensor? cover = alpha?.reshape(1, height, width).detach().cpu();
        if (cover is not null && format == ImageFormat.Jpeg)
        {
            color = color * cover + (1 - cover);
            cover = null;
        }
        int bands = (int)color.shape[0] + (cover is null ? 0 : 1);
        int sampleBytes = _bits switch
        {
            8 => 1,
            _ => 2,
        };
        _length = (long)height * width * bands * sampleBytes;
        _samples = NativeMemory.Alloc((nuint)_length);
        try
        {
            Quantize(color, cover, width * (long)bands * sampleBytes);
            _image = Describe((int)color.shape[0], width, height, bands);
        }
        catch
        {
            NativeMemory.Free(_samples);
            throw;
        }
    }

    /// <summary>Encodes to a stream that can seek.</summary>
    public void Save(Stream stream)
    {
        using WatchedStream watched = new(stream);
        try
        {
            Encode(watched);
            if (Said.Resolution is null)
                PixelDensity.Forget(watched, _format);
        }
        catch (Vips.VipsException exception)
        {
            if (watched.Failure is { } failure)
                throw failure;
            throw new ImageException(
                $"The picture cannot be encoded as {_format.DisplayName()}",
                _where,
                $"The encoder says: {Codecs.Cause(exception)}",
                exception
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _image.Dispose();
        NativeMemory.Free(_samples);
    }

    private PictureMetadata Said => _options.Metadata ?? PictureMetadata.None;

    private void Encode(Stream stream)
    {
        Vips.Enums.ForeignKeep kept =
            (_image.Contains("icc-profile-data") ? Vips.Enums.ForeignKeep.Icc : Vips.Enums.ForeignKeep.None)
            // Only PNG has another place for the resolution.
            | (
                Said.Exif is not null || (Said.Resolution is not null && _format != ImageFormat.Png)
                    ? Vips.Enums.ForeignKeep.Exif
                    : Vips.Enums.ForeignKeep.None
            )
            | (_image.Contains("xmp-data") ? Vips.Enums.ForeignKeep.Xmp : Vips.Enums.ForeignKeep.None);
        switch (_format)
        {
            case ImageFormat.Png:
                _image.PngsaveStream(stream, bitdepth: _bits, keep: kept);
                break;
            case ImageFormat.Jpeg:
                _image.JpegsaveStream(stream, q: _options.Quality ?? 95, optimizeCoding: true, keep: kept);
                break;
            case ImageFormat.WebP:
                // exact: colours under transparent pixels are kept.
                _image.WebpsaveStream(stream, q: _options.Quality ?? 100, lossless: _options.Quality is null, exact: true, keep: kept);
                break;
            default:
                _image.HeifsaveStream(
                    stream,
                    q: _options.Quality ?? 90,
                    bitdepth: _bits,
                    compression: Vips.Enums.ForeignHeifCompression.Av1,
                    effort: 4,
                    subsampleMode: Vips.Enums.ForeignSubsample.Off,
                    keep: kept
                );
                break;
        }
    }

    /// <summary>Rows are rounded strip by strip into interleaved samples, so that nothing but the samples grows with the picture.</summary>
    private void Quantize(Tensor color, Tensor? alpha, long rowBytes)
    {
        long height = color.shape[1],
            rows = Math.Clamp(StripBytes / rowBytes, 1, height);
        for (long row = 0; row < height; row += rows)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            long count = Math.Min(rows, height - row);
            Tensor strip = color.narrow(1, row, count);
            if (alpha is not null)
                strip = torch.cat([strip, alpha.narrow(1, row, count)], 0);
            Tensor samples = Samples.Of(strip.permute(1, 2, 0).to(ScalarType.Float32), _bits, _where).contiguous();
            samples.bytes.CopyTo(new Span<byte>((byte*)_samples + row * rowBytes, checked((int)(count * rowBytes))));
        }
    }

    private Vips.Image Describe(int colors, int width, int height, int bands)
    {
        (Vips.Enums.BandFormat sample, Vips.Enums.Interpretation meaning) = _bits switch
        {
            8 => (Vips.Enums.BandFormat.Uchar, colors == 1 ? Vips.Enums.Interpretation.Bw : Vips.Enums.Interpretation.Srgb),
            _ => (Vips.Enums.BandFormat.Ushort, colors == 1 ? Vips.Enums.Interpretation.Grey16 : Vips.Enums.Interpretation.Rgb16),
        };
        using Vips.Image plain = Vips.Image.NewFromMemory((nint)_samples, (ulong)_length, width, height, bands, sample);
        (double Across, double Down)? resolution = Said.Resolution;
        using Vips.Image described = plain.Copy(interpretation: meaning, xres: resolution?.Across, yres: resolution?.Down);
        return described.Mutate(image =>
        {
            if (Said.Profile is { } profile && ColorProfile.Fits(profile, colors))
                image.Set(Vips.GValue.BlobType, "icc-profile-data", profile);
            if (Said.Xmp is { } xmp)
                image.Set(Vips.GValue.BlobType, "xmp-data", System.Text.Encoding.UTF8.GetBytes(xmp));
            if (Said.Exif is { } exif)
                foreach ((string name, object value) in VipsExif.Fields(exif))
                    image.Set(value is byte[] ? Vips.GValue.BlobType : Vips.GValue.GStrType, name, value);
            const int Upright = 1;
            image.Set(Vips.GValue.GIntType, "orientation", Upright);
        });
    }
}
