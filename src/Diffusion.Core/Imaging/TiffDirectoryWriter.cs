using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>A tag with its values.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Type">TIFF's number of the values' type.</param>
/// <param name="Count">How many values.</param>
/// <param name="Value">Their bytes, the least significant first.</param>
internal readonly record struct TiffField(TiffTag Tag, ushort Type, long Count, byte[] Value)
{
    private const ushort ByteType = 1,
        TextType = 2,
        ShortType = 3,
        LongType = 4,
        RationalType = 5;

    /// <summary>A whole number of four bytes.</summary>
    public static TiffField Whole(TiffTag tag, int value) => new(tag, LongType, 1, Of((uint)value));

    /// <summary>Whole numbers of two bytes.</summary>
    public static TiffField Shorts(TiffTag tag, IEnumerable<int> values)
    {
        ushort[] all = [.. values.Select(value => (ushort)value)];
        return new(tag, ShortType, all.Length, MemoryMarshal.AsBytes(all.AsSpan()).ToArray());
    }

    /// <summary>A quotient.</summary>
    public static TiffField Rational(TiffTag tag, double value)
    {
        const double Fine = 10000;
        uint under = value * Fine < uint.MaxValue && value != Math.Round(value) ? (uint)Fine : 1;
        return new(tag, RationalType, 1, [.. Of((uint)Math.Round(Math.Min(value * under, uint.MaxValue))), .. Of(under)]);
    }

    /// <summary>A text.</summary>
    public static TiffField Text(TiffTag tag, string text)
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(text), 0];
        return new(tag, TextType, bytes.Length, bytes);
    }

    /// <summary>Bytes.</summary>
    public static TiffField Bytes(TiffTag tag, byte[] bytes) => new(tag, ByteType, bytes.Length, bytes);

    private static byte[] Of(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}

/// <summary>Writes the directories of a TIFF file, classic or BigTIFF, each pointed to by the one before.</summary>
internal sealed class TiffDirectoryWriter
{
    private readonly Stream _stream;
    private readonly bool _isBig;
    private long _pointer;

    /// <summary>Writes the header.</summary>
    public TiffDirectoryWriter(Stream stream, bool isBig)
    {
        (_stream, _isBig) = (stream, isBig);
        stream.Write(isBig ? [(byte)'I', (byte)'I', 43, 0, 8, 0, 0, 0] : [(byte)'I', (byte)'I', 42, 0]);
        _pointer = stream.Position;
        stream.Write(Place(0));
    }

    /// <summary>Offsets or lengths.</summary>
    public TiffField Places(TiffTag tag, long[] values) =>
        new(tag, (ushort)(_isBig ? 16 : 4), values.Length, [.. values.SelectMany(Place)]);

    /// <summary>Appends a directory.</summary>
    public void Write(IEnumerable<TiffField> fields)
    {
        (long start, long end) = Append(fields);
        _stream.Position = _pointer;
        _stream.Write(Place(start));
        _pointer = end;
        _stream.Position = _stream.Length;
    }

    /// <summary>Writes a directory that only this field points to.</summary>
    public TiffField Inner(TiffTag tag, IEnumerable<TiffField> fields) => Places(tag, [Append(fields).Start]);

    private (long Start, long End) Append(IEnumerable<TiffField> fields)
    {
        TiffField[] sorted = [.. fields.OrderBy(field => field.Tag)];
        int room = _isBig ? 8 : 4;
        long[] at = new long[sorted.Length];
        for (int i = 0; i < sorted.Length; i++)
            if (sorted[i].Value.Length > room)
            {
                Align();
                at[i] = _stream.Position;
                _stream.Write(sorted[i].Value);
            }
        Align();
        long start = _stream.Position;
        _stream.Write(Number(sorted.Length, _isBig ? 8 : 2));
        for (int i = 0; i < sorted.Length; i++)
        {
            (TiffTag tag, ushort type, long count, byte[] value) = sorted[i];
            _stream.Write(Number((long)tag, 2));
            _stream.Write(Number(type, 2));
            _stream.Write(Number(count, room));
            _stream.Write(value.Length > room ? Place(at[i]) : [.. value, .. new byte[room - value.Length]]);
        }
        long end = _stream.Position;
        _stream.Write(Place(0));
        return (start, end);
    }

    private void Align()
    {
        if (_stream.Position % 2 == 1)
            _stream.WriteByte(0);
    }

    private byte[] Place(long value) => Number(value, _isBig ? 8 : 4);

    private static byte[] Number(long value, int size)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes[..size];
    }
}
