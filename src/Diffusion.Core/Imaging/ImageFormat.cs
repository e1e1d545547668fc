namespace Diffusion.Imaging;

/// <summary>The picture formats that are read and written.</summary>
public enum ImageFormat
{
    /// <summary>PNG: 8 or 16 bits, lossless.</summary>
    Png,

    /// <summary>JPEG: 8 bits, lossy.</summary>
    Jpeg,

    /// <summary>WebP: 8 bits, lossless unless a quality is asked for.</summary>
    WebP,

    /// <summary>TIFF: 8 or 16 bits or 32-bit float, lossless. Float values are stored exactly and never clipped.</summary>
    Tiff,

    /// <summary>AVIF: 8 or 12 bits, lossy.</summary>
    Avif,

    /// <summary>FITS: 8 or 16 bits or 32-bit float, lossless; colours as three planes.</summary>
    Fits,
}

/// <summary>Names and extensions of the formats.</summary>
public static class ImageFormats
{
    /// <summary>How messages call the formats.</summary>
    internal const string Names = "PNG, JPEG, WebP, TIFF, AVIF or FITS";

    /// <summary>The extensions that pictures have, in lower case with the dot.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".fits", ".fit", ".fts"];

    /// <summary>The format that a path's extension stands for; null when it stands for none.</summary>
    public static ImageFormat? FromExtension(string path) =>
        Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => ImageFormat.Png,
            ".jpg" or ".jpeg" or ".jpe" or ".jfif" => ImageFormat.Jpeg,
            ".webp" => ImageFormat.WebP,
            ".tif" or ".tiff" => ImageFormat.Tiff,
            ".avif" => ImageFormat.Avif,
            ".fits" or ".fit" or ".fts" => ImageFormat.Fits,
            _ => null,
        };

    /// <summary>The format's own spelling.</summary>
    internal static string DisplayName(this ImageFormat format) =>
        format == ImageFormat.WebP ? "WebP" : format.ToString().ToUpperInvariant();

    /// <summary>The bits per sample that a format stores when <paramref name="wanted"/> (8, 16 or 32) are asked for.</summary>
    internal static int StoredBits(this ImageFormat format, int wanted) =>
        (format, wanted) switch
        {
            (ImageFormat.Png, > 8) => 16,
            (ImageFormat.Avif, > 8) => 12,
            (ImageFormat.Tiff or ImageFormat.Fits, > 16) => 32,
            (ImageFormat.Tiff or ImageFormat.Fits, > 8) => 16,
            _ => 8,
        };

    /// <summary>The longest side that a format can hold.</summary>
    internal static int LongestSide(this ImageFormat format) =>
        format switch
        {
            ImageFormat.WebP => 16383,
            ImageFormat.Jpeg => 65500,
            ImageFormat.Avif => 16384,
            _ => 10_000_000,
        };
}
