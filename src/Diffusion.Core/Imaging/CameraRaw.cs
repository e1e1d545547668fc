using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Cameras' RAW files, which hold a mosaic: told apart, and refused with what makes a TIFF of them.</summary>
internal static class CameraRaw
{
    // What only their name tells from a TIFF picture.
    private static readonly string[] TiffExtensions =
    [
        ".3fr",
        ".arw",
        ".cr2",
        ".dcr",
        ".dng",
        ".erf",
        ".fff",
        ".iiq",
        ".kdc",
        ".mef",
        ".mos",
        ".nef",
        ".nrw",
        ".pef",
        ".rwl",
        ".sr2",
        ".srf",
        ".srw",
    ];

    /// <summary>Why a file is not read; null where it is no RAW file.</summary>
    /// <param name="stream">Seekable; borrowed, and left at its start.</param>
    /// <param name="head">Its first bytes.</param>
    /// <param name="where">Its name.</param>
    public static ImageException? Refusal(Stream stream, ReadOnlySpan<byte> head, string where)
    {
        bool fuji = head.StartsWith("FUJIFILMCCD-RAW"u8);
        if (!fuji && !IsOther(head))
        {
            if (!IsTiff(head))
                return null;
            TiffDirectory? tags = stream.CanSeek ? TiffDirectory.Read(stream, 1) : null;
            stream.Position = 0;
            bool dng = tags?.Has(TiffTag.DngVersion) ?? false;
            if (!dng && !TiffExtensions.Contains(Path.GetExtension(where), StringComparer.OrdinalIgnoreCase))
                return null;
            return Because(where, Mosaic(stream, tags));
        }
        return Because(where, fuji ? ("xtrans", null) : (null, null));
    }

    private static ImageException Because(string where, (string? Pattern, string? Range) mosaic)
    {
        string name = Path.GetFileName(where),
            tiff = Path.ChangeExtension(name, ".tiff");
        string range = mosaic.Range is null ? "--range BLACK..WHITE" : $"--range {mosaic.Range}";
        string pattern = mosaic.Pattern ?? "PATTERN";
        string rest = mosaic is { Pattern: not null, Range: not null }
            ? ""
            : " (dcraw -i -v names the pattern; rawpy has it as raw_pattern, and black_level_per_channel and white_level)";
        return new ImageException(
            "This is a camera's RAW file, whose mosaic is not decoded here",
            where,
            $"Make a TIFF of it with \"dcraw -D -4 -T {name}\", or in Python with \"tifffile.imwrite('{tiff}', "
                + $"rawpy.imread('{name}').raw_image_visible)\", and restore that with -A bayer:pattern={pattern} {range}{rest}"
        );
    }

    private static bool IsTiff(ReadOnlySpan<byte> head) =>
        head.Length >= 8
        && (head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) || head.StartsWith("II+\0"u8) || head.StartsWith("MM\0+"u8));

    private static bool IsOther(ReadOnlySpan<byte> head) =>
        head.StartsWith("IIRO"u8)
        || head.StartsWith("IIRS"u8)
        || head.StartsWith("MMOR"u8)
        || head.StartsWith("IIU\0"u8)
        || head.StartsWith("FOVb"u8)
        || head.StartsWith("\0MRM"u8)
        || (head.Length > 14 && head[6..].StartsWith("HEAPCCDR"u8))
        || (head.Length > 12 && head[4..].StartsWith("ftypcrx "u8));

    // The colours' pattern and the levels of black and white, as far as the page with the mosaic says them.
    private static (string? Pattern, string? Range) Mosaic(Stream stream, TiffDirectory? first)
    {
        try
        {
            if (first is null)
                return (null, null);
            TiffDirectory? page = first.Inner(TiffTag.SubDirectories).Prepend(first).FirstOrDefault(tags => tags.Has(TiffTag.CfaPattern));
            if (page is null)
                return (null, null);
            byte[] colors = page.Bytes(TiffTag.CfaPattern);
            long[] size = page.Integers(TiffTag.CfaRepeatPatternDim);
            string? pattern =
                size is [var rows, var columns] && rows == columns && rows * columns == colors.Length && colors.All(c => c < 3)
                    ? Spelled(colors, (int)rows)
                    : null;
            double white = page.Integers(TiffTag.WhiteLevel) is [var level, ..] ? level : 0;
            double black = page.Has(TiffTag.BlackLevel) ? page.Number(TiffTag.BlackLevel) : 0;
            return (pattern, white > black ? string.Create(CultureInfo.InvariantCulture, $"{black:0.##}..{white}") : null);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or OverflowException)
        {
            return (null, null);
        }
        finally
        {
            stream.Position = 0;
        }
    }

    private static string Spelled(byte[] colors, int side) =>
        string.Join('/', colors.Chunk(side).Select(row => new string([.. row.Select(c => "rgb"[c])]))) is var text && side == 2
            ? text.Replace("/", "", StringComparison.Ordinal)
            : text;
}
