using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>EXIF in the codec library's own words: a field a tag, beside the block itself.</summary>
internal static class VipsExif
{
    // A segment of JPEG has a length of two bytes, which counts itself.
    private const int LongestBlock = ushort.MaxValue - 2;

    /// <summary>The fields, which an image must have for the library to write a block; none where it does not understand it.</summary>
    public static IReadOnlyDictionary<string, object> Fields(ExifData exif)
    {
        byte[] block = exif.Bytes;
        if (block.Length > LongestBlock)
            return new Dictionary<string, object>();
        CodecLibrary.Load();
        // Its reader of blocks belongs to its readers of pictures: one of a single pixel.
        using Vips.Image pixel = Vips.Image.Black(1, 1);
        byte[] jpeg = pixel.JpegsaveBuffer(keep: Vips.Enums.ForeignKeep.None);
        int length = block.Length + 2;
        const int Start = 2;
        byte[] carrier = [.. jpeg[..Start], 0xFF, 0xE1, (byte)(length >> 8), (byte)length, .. block, .. jpeg[Start..]];
        try
        {
            using Vips.Image read = Vips.Image.JpegloadBuffer(carrier);
            return read.GetFields().Where(name => name.StartsWith("exif-", StringComparison.Ordinal)).ToDictionary(name => name, read.Get);
        }
        catch (Vips.VipsException)
        {
            return new Dictionary<string, object>();
        }
    }
}
