using System.Buffers.Binary;
using System.IO.Hashing;

namespace Diffusion.Imaging;

/// <summary>Takes back the resolution that the codec library writes for pictures of which none is known.</summary>
internal static class PixelDensity
{
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

    private static void ForgetPng(Stream stream)
    {
        const int Signature = 8,
            HeadLength = 8,
            CrcLength = 4;
        Span<byte> head = stackalloc byte[HeadLength];
        for (long at = Signature; ; )
        {
            stream.Position = at;
            if (stream.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false) < HeadLength || head[4..].SequenceEqual("IDAT"u8))
                return;
            if (head[4..].SequenceEqual("pHYs"u8))
            {
                byte[] chunk = [.. "pHYs"u8, 0, 0, 0, 1, 0, 0, 0, 1, 0];
                stream.Position = at + 4;
                stream.Write(chunk);
                byte[] crc = Crc32.Hash(chunk);
                Array.Reverse(crc);
                stream.Write(crc);
                return;
            }
            at += HeadLength + BinaryPrimitives.ReadUInt32BigEndian(head) + CrcLength;
        }
    }

    private static void ForgetJpeg(Stream stream)
    {
        // SOI, APP0, length, "JFIF\0", version; then unit and densities.
        const int NameAt = 6,
            UnitAt = 13;
        Span<byte> name = stackalloc byte[4];
        stream.Position = NameAt;
        if (stream.ReadAtLeast(name, 4, throwOnEndOfStream: false) < 4 || !name.SequenceEqual("JFIF"u8))
            return;
        stream.Position = UnitAt;
        stream.Write([0, 0, 1, 0, 1]);
    }
}
