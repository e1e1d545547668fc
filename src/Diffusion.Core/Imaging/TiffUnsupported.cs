using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Names what is not supported about a TIFF file that is sound.</summary>
internal static class TiffUnsupported
{
    private const string Remedy = "Save it with 8, 16 or 32-bit float samples, uncompressed or with Deflate, LZW or PackBits";

    /// <summary>The error.</summary>
    public static ImageException Because(string reason, string where, Exception? inner = null) =>
        new($"This TIFF picture is not supported: {reason}", where, Remedy, inner);

    /// <summary>The name of a compression scheme.</summary>
    public static string Scheme(int compression) =>
        compression switch
        {
            6 => "old-style JPEG",
            7 => "JPEG",
            34712 => "JPEG 2000",
            34887 => "LERC",
            34892 => "lossy JPEG of DNG",
            34925 => "LZMA",
            34926 or 50000 => "Zstandard",
            34927 or 50001 => "WebP",
            34933 or 50002 or 52546 => "JPEG XL",
            34934 => "PNG",
            22610 or 34718 => "JPEG XR",
            34676 or 34677 => "SGI LogLuv",
            _ => $"scheme {compression}",
        };
}
