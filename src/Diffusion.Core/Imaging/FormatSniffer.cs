using System.Buffers.Binary;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>Tells what a file is by its first bytes; extensions are not trusted.</summary>
internal static class FormatSniffer
{
    /// <summary>How many bytes the decision needs at most.</summary>
    public const int HeadLength = 256;

    /// <summary>The format, or null and what the file seems to be instead.</summary>
    public static (ImageFormat? Format, string Description) Identify(ReadOnlySpan<byte> head)
    {
        if (StartsWith(head, 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A))
            return (ImageFormat.Png, "a PNG picture");
        if (StartsWith(head, 0xFF, 0xD8, 0xFF))
            return (ImageFormat.Jpeg, "a JPEG picture");
        if (head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8))
            return (ImageFormat.WebP, "a WebP picture");
        if (
            StartsWith(head, 0x49, 0x49, 0x2A, 0x00)
            || StartsWith(head, 0x4D, 0x4D, 0x00, 0x2A)
            || StartsWith(head, 0x49, 0x49, 0x2B, 0x00)
            || StartsWith(head, 0x4D, 0x4D, 0x00, 0x2B)
        )
            return (ImageFormat.Tiff, "a TIFF picture");
        if (head.StartsWith("SIMPLE  ="u8))
            return (ImageFormat.Fits, "a FITS picture");
        if (head.Length >= 12 && head[4..].StartsWith("ftyp"u8))
            return IdentifyIsoMedia(head);
        return (null, DescribeOther(head));
    }

    /// <summary>The frames of an animated PNG, which decoders show as a still picture.</summary>
    public static int PngFrames(ReadOnlySpan<byte> head)
    {
        int control = head.IndexOf("acTL"u8);
        return control < 0 || control + 8 > head.Length
            ? 1
            : (int)Math.Clamp(BinaryPrimitives.ReadUInt32BigEndian(head[(control + 4)..]), 1, int.MaxValue);
    }

    /// <summary>ISO base media files: AVIF when the major or a compatible brand says so.</summary>
    private static (ImageFormat?, string) IdentifyIsoMedia(ReadOnlySpan<byte> head)
    {
        uint boxLength = BinaryPrimitives.ReadUInt32BigEndian(head);
        int end = (int)Math.Min(boxLength, (uint)head.Length);
        for (int offset = 8; offset + 4 <= end; offset += 4)
        {
            if (offset == 12)
                continue; // minor version
            if (head[offset..].StartsWith("avif"u8) || head[offset..].StartsWith("avis"u8))
                return (ImageFormat.Avif, "an AVIF picture");
        }
        ReadOnlySpan<byte> brand = head.Slice(8, 4);
        bool heic = brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.StartsWith("mif1"u8) || brand.StartsWith("msf1"u8);
        return (null, heic ? "a HEIC picture" : "a video or other MPEG-4 file");
    }

    private static string DescribeOther(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("GIF8"u8))
            return "a GIF picture";
        if (head.StartsWith("BM"u8))
            return "a BMP picture";
        if (head.StartsWith("8BPS"u8))
            return "a Photoshop file";
        if (head.StartsWith("%PDF"u8))
            return "a PDF document";
        if (head.StartsWith("#?RADIANCE"u8))
            return "a Radiance HDR picture";
        if (StartsWith(head, 0x76, 0x2F, 0x31, 0x01))
            return "an OpenEXR picture";
        if (StartsWith(head, 0xFF, 0x0A) || (head.Length >= 8 && head[4..].StartsWith("JXL "u8)))
            return "a JPEG XL picture";
        if (head.Length >= 8 && head[4..].StartsWith("jP  "u8))
            return "a JPEG 2000 picture";
        if (StartsWith(head, 0x93) && head[1..].StartsWith("NUMPY"u8))
            return "a NumPy array";
        if (head.StartsWith("PK\x03\x04"u8))
            return "a ZIP archive";
        if (StartsWith(head, 0x1F, 0x8B))
            return "a gzip archive";
        if (
            head.Length >= 3
            && head[0] == 'P'
            && head[1] is >= (byte)'1' and <= (byte)'7'
            && head[2] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'
        )
            return "a PNM picture";
        if (head.Length > 8 && head[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(head) < 1 << 30)
            return "a safetensors file";
        if (!IsText(head))
            return "no picture in a known format";
        string text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (text.Contains("<svg", StringComparison.OrdinalIgnoreCase))
            return "an SVG drawing";
        if (
            text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
        )
            return "an HTML page";
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return "a Git LFS pointer, not the file itself";
        return "text";
    }

    private static bool StartsWith(ReadOnlySpan<byte> head, params ReadOnlySpan<byte> signature) => head.StartsWith(signature);

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        foreach (byte b in head)
            if (b < 9 || b is > 13 and < 32)
                return false;
        return !head.IsEmpty;
    }
}
