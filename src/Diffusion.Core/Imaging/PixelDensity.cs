using System.Buffers.Binary;
using System.IO.Hashing;

namespace Diffusion.Imaging;

/// <summary>
/// The resolution that the codec library gives every picture, and writes into every file: whether it was said at all, and how to take it
/// back.
/// </summary>
internal static class PixelDensity
{
    // Of a chunk: its length, "pHYs", two numbers. Of a file: SOI, APP0, length, "JFIF\0", version; then unit and densities.
    private const int PngUnitAt = 16,
        JpegNameAt = 6,
        JpegUnitAt = 13;

    /// <summary>Makes the resolution in a written file a statement about the pixels' shape only: square.</summary>
    /// <param name="stream">The whole file, seekable; its position is kept.</param>
    /// <param name="format">Its format.</param>
    public static void Forget(Stream stream, ImageFormat format)
    {
        long end = stream.Position;
        if (format == ImageFormat.Png)
            ForgetPng(stream);
        else if (format == ImageFormat.Jpeg)
            ForgetJpeg(stream);
        stream.Position = end;
    }

    /// <summary>Whether a file says its resolution.</summary>
    /// <param name="stream">The whole file, seekable; its position is kept.</param>
    /// <param name="format">Its format.</param>
    public static bool IsSaid(Stream stream, ImageFormat format)
    {
        long start = stream.Position;
        int unit = format switch
        {
            ImageFormat.Png => FindPng(stream) is { } at ? ByteAt(stream, at + PngUnitAt) : 0,
            ImageFormat.Jpeg => IsJfif(stream) ? ByteAt(stream, JpegUnitAt) : 0,
            _ => 0,
        };
        stream.Position = start;
        return unit > 0;
    }

    private static int ByteAt(Stream stream, long at)
    {
        stream.Position = at;
        return stream.ReadByte();
    }

    // Where a PNG file's chunk of the resolution begins, with its length; null where there is none.
    private static long? FindPng(Stream stream)
    {
        const int Signature = 8,
            HeadLength = 8,
            CrcLength = 4;
        Span<byte> head = stackalloc byte[HeadLength];
        for (long at = Signature; ; )
        {
            stream.Position = at;
            if (stream.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false) < HeadLength || head[4..].SequenceEqual("IDAT"u8))
                return null;
            if (head[4..].SequenceEqual("pHYs"u8))
                return at;
            at += HeadLength + BinaryPrimitives.ReadUInt32BigEndian(head) + CrcLength;
        }
    }

    private static void ForgetPng(Stream stream)
    {
        if (FindPng(stream) is not { } at)
            return;
        byte[] chunk = [.. "pHYs"u8, 0, 0, 0, 1, 0, 0, 0, 1, 0];
        stream.Position = at + 4;
        stream.Write(chunk);
        byte[] crc = Crc32.Hash(chunk);
        Array.Reverse(crc);
        stream.Write(crc);
    }

    private static void ForgetJpeg(Stream stream)
    {
        if (!IsJfif(stream))
            return;
        stream.Position = JpegUnitAt;
        stream.Write([0, 0, 1, 0, 1]);
    }

    private static bool IsJfif(Stream stream)
    {
        Span<byte> name = stackalloc byte[4];
        stream.Position = JpegNameAt;
        return stream.ReadAtLeast(name, 4, throwOnEndOfStream: false) == 4 && name.SequenceEqual("JFIF"u8);
    }
}
