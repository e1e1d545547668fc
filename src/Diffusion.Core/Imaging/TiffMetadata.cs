using System.Text;

namespace Diffusion.Imaging;

/// <summary>What the tags of a TIFF page say besides the pixels.</summary>
internal static class TiffMetadata
{
    private const int Inch = 2,
        Centimetre = 3,
        LongestText = 1 << 24;

    /// <summary>Reads the page's tags; the description of a whole stack stands on the first page.</summary>
    /// <param name="stream">The file; borrowed.</param>
    /// <param name="page">Counted from 1.</param>
    /// <param name="pixels">What whoever decodes the pixels knows: profile and XMP.</param>
    public static PictureMetadata Read(Stream stream, int page, PictureMetadata pixels)
    {
        try
        {
            if (TiffDirectory.Read(stream, page) is not { } tags)
                return pixels;
            TiffDescription? description = Describe(tags);
            if (page > 1 && TiffDirectory.Read(stream, 1) is { } first && Describe(first) is { OfStack: true } stack)
                description = stack;
            const int ColorsAlone = 3;
            long samples = tags.Integer(TiffTag.SamplesPerPixel, 1),
                meaning = tags.Integer(TiffTag.Photometric, TiffLayout.Black);
            return pixels with
            {
                Resolution = Resolution(tags),
                Description = description,
                Exif = ExifData.Of(tags, withDescription: description is not { OfStack: true }),
                HasPlainChannels = meaning is TiffLayout.Black or TiffLayout.White && samples >= ColorsAlone,
                HasMoreThanColors = meaning == TiffLayout.Rgb && samples > ColorsAlone,
                Planar = tags.Integer(TiffTag.PlanarConfiguration, 1) == 2,
                Xmp = pixels.Xmp ?? (tags.Has(TiffTag.Xmp) ? Encoding.UTF8.GetString(tags.Bytes(TiffTag.Xmp)) : null),
            };
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or OverflowException)
        {
            return pixels; // The pixels are there all the same.
        }
    }

    private static TiffDescription? Describe(TiffDirectory tags) =>
        tags.Text(TiffTag.Description) is { Length: > 0 and < LongestText } text ? new(text, tags.Pages) : null;

    private static (double, double)? Resolution(TiffDirectory tags)
    {
        double unit = tags.Integer(TiffTag.ResolutionUnit, Inch) switch
        {
            Inch => 25.4,
            Centimetre => 10,
            _ => 0,
        };
        return unit > 0 && tags.Rational(TiffTag.ResolutionX) is > 0 and var x && tags.Rational(TiffTag.ResolutionY) is > 0 and var y
            ? (x / unit, y / unit)
            : null;
    }
}
