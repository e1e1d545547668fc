using System.Buffers.Binary;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>The tags of one page of a TIFF file, classic or BigTIFF, of either byte order.</summary>
internal sealed class TiffDirectory
{
    private const int MostEntries = 4096,
        MostPages = 100_000,
        LongestValue = 256 << 20;

    // Bytes of the field types 1..18; 0 where there is none.
    private static ReadOnlySpan<byte> TypeBytes => [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

    private readonly Dictionary<ushort, (ushort Type, long Count, long At)> _entries = [];
    private readonly Stream _stream;

    private readonly bool _isBig;

    private TiffDirectory(Stream stream, bool bigEndian, bool isBig) => (_stream, IsBigEndian, _isBig) = (stream, bigEndian, isBig);

    /// <summary>Whether the most significant byte comes first.</summary>
    public bool IsBigEndian { get; }

    /// <summary>How many pages the file has, this one included.</summary>
    public int Pages { get; private set; } = 1;

    /// <summary>Finds a page.</summary>
    /// <param name="stream">Seekable; borrowed, and read again when values are asked for.</param>
    /// <param name="page">Counted from 1; beyond the last one the first is returned.</param>
    /// <returns>Null where the file has no directory that makes sense.</returns>
    public static TiffDirectory? Read(Stream stream, int page)
    {
        try
        {
            Span<byte> head = stackalloc byte[16];
            stream.Position = 0;
            if (stream.ReadAtLeast(head, 8, throwOnEndOfStream: false) < 8)
                return null;
            bool bigEndian = head[0] == 'M';
            bool isBig = (bigEndian ? head[3] : head[2]) == 43;
            TiffDirectory scan = new(stream, bigEndian, isBig);
            long next = isBig ? scan.Whole(8, 8) : scan.Whole(4, 4);
            TiffDirectory? first = null,
                found = null;
            HashSet<long> seen = [];
            int pages = 0;
            while (next != 0 && pages < MostPages && seen.Add(next))
            {
                pages++;
                TiffDirectory directory = new(stream, bigEndian, isBig);
                next = directory.ReadEntries(next, isBig, keep: pages == 1 || pages == page);
                first ??= directory;
                found = pages == page ? directory : found;
            }
            if (first is null)
                return null;
            found ??= first;
            found.Pages = pages;
            return found;
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>
    /// The directories that this one names as its own: EXIF's, or those that RAW files have beside a small picture.
    /// </summary>
    /// <exception cref="InvalidDataException">They lie beyond the file.</exception>
    public IEnumerable<TiffDirectory> Inner(TiffTag tag)
    {
        foreach (long at in Integers(tag))
        {
            TiffDirectory inner = new(_stream, IsBigEndian, _isBig);
            inner.ReadEntries(at, _isBig, keep: true);
            yield return inner;
        }
    }

    /// <summary>All tags with their values.</summary>
    /// <exception cref="InvalidDataException">They lie beyond the file.</exception>
    public IEnumerable<TiffField> Fields()
    {
        foreach ((ushort tag, (ushort type, long count, _)) in _entries)
        {
            byte[] value = Bytes((TiffTag)tag);
            // A rational number is two of four bytes.
            int size = type is 5 or 10 ? 4 : TypeBytes[type];
            for (int at = 0; IsBigEndian && size > 1 && at < value.Length; at += size)
                value.AsSpan(at, size).Reverse();
            yield return new TiffField((TiffTag)tag, type, count, value);
        }
    }

    /// <summary>Writes a whole number over the value of a tag; nothing where there is no such tag, or no such number.</summary>
    public void Overwrite(TiffTag tag, int value)
    {
        if (!_entries.TryGetValue((ushort)tag, out var entry) || entry is not { Type: 3 or 4, Count: 1 })
            return;
        byte[] bytes = BitConverter.GetBytes(value)[..TypeBytes[entry.Type]];
        if (IsBigEndian)
            Array.Reverse(bytes);
        _stream.Position = entry.At;
        _stream.Write(bytes);
    }

    /// <summary>Whether the page has a tag.</summary>
    public bool Has(TiffTag tag) => _entries.ContainsKey((ushort)tag);

    /// <summary>The first whole number of a tag, or <paramref name="absent"/>.</summary>
    public long Integer(TiffTag tag, long absent) => Has(tag) && Integers(tag) is [var value, ..] ? value : absent;

    /// <summary>The whole numbers of a tag; none where it is absent.</summary>
    /// <exception cref="InvalidDataException">They lie beyond the file.</exception>
    public long[] Integers(TiffTag tag)
    {
        if (!_entries.TryGetValue((ushort)tag, out var entry))
            return [];
        int size = TypeBytes[entry.Type];
        byte[] bytes = Bytes(tag);
        long[] values = new long[entry.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Number(bytes.AsSpan(i * size, size));
        return values;
    }

    /// <summary>A rational number; null where it is absent.</summary>
    public double? Rational(TiffTag tag)
    {
        if (!Has(tag) || Bytes(tag) is not { Length: >= 8 } bytes)
            return null;
        (long over, long under) = (Number(bytes.AsSpan(0, 4)), Number(bytes.AsSpan(4, 4)));
        return under == 0 ? null : (double)over / under;
    }

    /// <summary>The first number of a tag, whole or rational.</summary>
    /// <exception cref="InvalidDataException">It lies beyond the file, or has no value.</exception>
    public double Number(TiffTag tag)
    {
        const ushort UnsignedRational = 5;
        return (
            _entries[(ushort)tag].Type == UnsignedRational ? Rational(tag)
            : Integers(tag) is [var value, ..] ? value
            : null
        ) ?? throw new InvalidDataException();
    }

    /// <summary>A text; null where it is absent.</summary>
    public string? Text(TiffTag tag) => Has(tag) ? Encoding.UTF8.GetString(Bytes(tag)).TrimEnd('\0') : null;

    /// <summary>The bytes of a tag as they stand in the file.</summary>
    /// <exception cref="InvalidDataException">They lie beyond the file.</exception>
    public byte[] Bytes(TiffTag tag)
    {
        (ushort type, long count, long at) = _entries[(ushort)tag];
        long length = checked(TypeBytes[type] * count);
        if (length > LongestValue || at < 0 || at + length > _stream.Length)
            throw new InvalidDataException();
        byte[] bytes = new byte[length];
        _stream.Position = at;
        _stream.ReadExactly(bytes);
        return bytes;
    }

    private long ReadEntries(long at, bool isBig, bool keep)
    {
        long count = isBig ? Whole(at, 8) : Whole(at, 2);
        if (count is < 1 or > MostEntries)
            throw new InvalidDataException();
        (int start, int width) = isBig ? (8, 20) : (2, 12);
        if (keep)
        {
            byte[] entries = new byte[count * width];
            _stream.Position = at + start;
            _stream.ReadExactly(entries);
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> entry = entries.AsSpan(i * width, width);
                (ushort tag, ushort type) = ((ushort)Number(entry[..2]), (ushort)Number(entry[2..4]));
                if (type >= TypeBytes.Length || TypeBytes[type] == 0)
                    continue;
                long values = isBig ? Number(entry[4..12]) : Number(entry[4..8]);
                if (values < 0)
                    throw new InvalidDataException();
                int room = isBig ? 8 : 4;
                long value = at + start + i * width + width - room;
                bool inside = values <= room / TypeBytes[type];
                _entries.TryAdd(tag, (type, values, inside ? value : Number(entry[^room..])));
            }
        }
        return Whole(at + start + count * width, isBig ? 8 : 4);
    }

    private long Whole(long at, int size)
    {
        Span<byte> bytes = stackalloc byte[size];
        if (at < 0 || at + size > _stream.Length)
            throw new InvalidDataException();
        _stream.Position = at;
        _stream.ReadExactly(bytes);
        return Number(bytes);
    }

    private long Number(ReadOnlySpan<byte> bytes) =>
        (bytes.Length, IsBigEndian) switch
        {
            (1, _) => bytes[0],
            (2, true) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            (4, true) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            (4, false) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            (_, true) => BinaryPrimitives.ReadInt64BigEndian(bytes),
            (_, false) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        };
}
