using Diffusion.Runtime;
using SharpCompress.Compressors.LZMA;

namespace Diffusion.Imaging;

/// <summary>
/// Decodes LZMA: every strip or tile is an xz file of one block, whose filters are LZMA2, or a difference of bytes before it as libtiff
/// writes.
/// </summary>
internal sealed class TiffXzChunks(Stream stream, TiffDirectory tags, TiffLayout layout, string where) : ITiffChunks
{
    private const int StreamHeader = 12,
        DeltaFilter = 3,
        Lzma2Filter = 0x21;

    // 64 MB, that of the highest preset: a header may claim 4 GB.
    private const int LargestDictionary = 28;

    private readonly long[] _offsets = tags.Integers(layout.Tiled ? TiffTag.TileOffsets : TiffTag.StripOffsets),
        _lengths = tags.Integers(layout.Tiled ? TiffTag.TileByteCounts : TiffTag.StripByteCounts);

    public byte[] Read(int index, int length)
    {
        if (index >= _offsets.Length || index >= _lengths.Length)
            throw new InvalidDataException();
        (long at, long stored) = (_offsets[index], _lengths[index]);
        if (at < 0 || stored < StreamHeader + 4 || at + stored > stream.Length || stored > Array.MaxLength)
            throw new InvalidDataException();
        byte[] packed = new byte[stored];
        stream.Position = at;
        stream.ReadExactly(packed);
        byte[] bytes = Decode(packed, length);
        TiffPredictor.Undo(bytes, layout, tags.IsBigEndian);
        return bytes;
    }

    public void Dispose() { }

    private byte[] Decode(byte[] packed, int length)
    {
        int header = StreamHeader,
            data = header + 4 * (packed[header] + 1),
            flags = packed[header + 1],
            at = header + 2;
        // Sizes that may stand before the filters, seven bits a byte.
        for (int sizes = (flags >> 6 & 1) + (flags >> 7); sizes > 0; sizes--)
            while (packed[at++] >= 0x80) { }
        int distance = 0;
        byte? dictionary = null;
        for (int filters = (flags & 3) + 1; filters > 0; filters--)
        {
            (int filter, int size) = (packed[at], packed[at + 1]);
            if (size != 1 || filter is not (DeltaFilter or Lzma2Filter))
                throw TiffUnsupported.Because($"LZMA with the filter {filter}", where);
            if (filter == DeltaFilter)
                distance = packed[at + 2] + 1;
            else
                dictionary = packed[at + 2];
            at += 3;
        }
        if (dictionary is not <= LargestDictionary || data > packed.Length)
            throw TiffUnsupported.Because("LZMA with a dictionary of more than 64 MB", where);
        using LzmaStream lzma = LzmaStream.Create(
            [dictionary.Value],
            new MemoryStream(packed, data, packed.Length - data),
            -1,
            length,
            null,
            true,
            false
        );
        byte[] bytes = new byte[length];
        int read = lzma.ReadAtLeast(bytes, length, throwOnEndOfStream: false);
        for (int i = distance; distance > 0 && i < read; i++)
            bytes[i] += bytes[i - distance];
        return read == length ? bytes : bytes[..read];
    }
}
