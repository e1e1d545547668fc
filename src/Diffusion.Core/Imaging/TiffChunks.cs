using System.IO.Compression;
using ZstdSharp;

namespace Diffusion.Imaging;

/// <summary>The strips or tiles of a TIFF page, decoded to bytes with the least significant first.</summary>
internal interface ITiffChunks : IDisposable
{
    /// <summary>Reads one strip or tile; the last rows of the last strip may be missing.</summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    byte[] Read(int index, int length);
}

/// <summary>Decodes no compression, Deflate, PackBits and Zstandard, in files of any kind.</summary>
internal sealed class TiffPlainChunks(Stream stream, TiffDirectory tags, TiffLayout layout) : ITiffChunks
{
    private const int None = 1,
        AdobeDeflate = 8,
        Deflate = 32946,
        PackBits = 32773,
        Zstandard = TiffLayout.Zstandard;

    private readonly long[] _offsets = tags.Integers(layout.Tiled ? TiffTag.TileOffsets : TiffTag.StripOffsets),
        _lengths = tags.Integers(layout.Tiled ? TiffTag.TileByteCounts : TiffTag.StripByteCounts);
    private readonly bool _reversedBits = tags.Integer(TiffTag.FillOrder, 1) == 2;

    /// <summary>Whether this class decodes a compression scheme.</summary>
    public static bool Knows(int compression) => compression is None or AdobeDeflate or Deflate or PackBits or Zstandard;

    public byte[] Read(int index, int length)
    {
        if (index >= _offsets.Length)
            throw new InvalidDataException();
        // Files of one uncompressed strip sometimes leave its length out.
        long at = _offsets[index],
            stored = index < _lengths.Length ? _lengths[index] : length;
        if (layout.Compression == None)
            stored = Math.Min(stored, length);
        if (at < 0 || stored < 0 || at + stored > stream.Length || stored > Array.MaxLength)
            throw new InvalidDataException();
        byte[] packed = new byte[stored];
        stream.Position = at;
        stream.ReadExactly(packed);
        if (_reversedBits)
            Reverse(packed);
        byte[] bytes = layout.Compression switch
        {
            None => packed,
            PackBits => Unpack(packed, length),
            Zstandard => Gather(new DecompressionStream(new MemoryStream(packed)), length),
            _ => Gather(new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress), length),
        };
        TiffPredictor.Undo(bytes, layout, tags.IsBigEndian);
        return bytes;
    }

    public void Dispose() { }

    private static byte[] Gather(Stream inflated, int length)
    {
        using Stream owned = inflated;
        // Grows with what is there: a page may claim any size.
        MemoryStream bytes = new(Math.Min(length, 1 << 20));
        byte[] part = new byte[1 << 16];
        while (bytes.Length < length && inflated.Read(part, 0, (int)Math.Min(part.Length, length - bytes.Length)) is > 0 and var read)
            bytes.Write(part, 0, read);
        return bytes.ToArray();
    }

    private static byte[] Unpack(byte[] packed, int length)
    {
        MemoryStream bytes = new();
        for (int i = 0; i < packed.Length && bytes.Length < length; )
        {
            int count = (sbyte)packed[i++];
            if (count >= 0)
            {
                int literal = Math.Min(count + 1, packed.Length - i);
                bytes.Write(packed, i, literal);
                i += literal;
            }
            else if (count != -128 && i < packed.Length)
            {
                for (int repeat = 1 - count; repeat > 0; repeat--)
                    bytes.WriteByte(packed[i]);
                i++;
            }
        }
        byte[] all = bytes.ToArray();
        return all.Length > length ? all[..length] : all;
    }

    private static void Reverse(byte[] bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)((bytes[i] * 0x0202020202UL & 0x010884422010UL) % 1023);
    }
}
