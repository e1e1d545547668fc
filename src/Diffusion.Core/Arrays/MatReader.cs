using System.Buffers.Binary;

namespace Diffusion.Arrays;

/// <summary>The tag of a data element.</summary>
/// <param name="Type">Its number type, or that it is a matrix.</param>
/// <param name="Length">Bytes of content, without padding.</param>
/// <param name="Small">Whether up to four bytes of content stand in the tag itself.</param>
internal readonly record struct MatElement(int Type, long Length, bool Small);

/// <summary>Reads data elements one after another; each begins at a multiple of eight bytes.</summary>
internal sealed class MatReader(Stream stream, bool bigEndian, string where)
{
    /// <summary>The byte order of the file.</summary>
    public bool BigEndian => bigEndian;

    /// <summary>How messages call the file.</summary>
    public string Where => where;

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>The tag at the current position.</summary>
    public MatElement Next()
    {
        uint first = Word();
        return first >> 16 != 0 ? new((int)(first & 0xFFFF), first >> 16, Small: true) : new((int)first, Word(), Small: false);
    }

    /// <summary>The content of an element of small size, with its padding passed over.</summary>
    /// <exception cref="InvalidDataException">Larger than <paramref name="most"/>.</exception>
    public byte[] Bytes(MatElement element, int most)
    {
        if (element.Length > (element.Small ? 4 : most))
            throw new InvalidDataException();
        byte[] content = new byte[element.Length];
        Fill(content);
        Skip(Padding(element));
        return content;
    }

    /// <summary>The content of an element of numbers as an array.</summary>
    public Tensor Values(MatElement element, long[] shape)
    {
        SampleType type = TypeOf(element.Type);
        ArrayLayout layout = new(type, shape, bigEndian, ColumnMajor: true);
        long bytes = layout.Count(where) * type.Size();
        if (bytes != element.Length)
            throw new InvalidDataException();
        Tensor values = ArraySamples.Read(stream, layout, where);
        Position += bytes;
        Skip(Padding(element));
        return values;
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(long count)
    {
        Span<byte> waste = stackalloc byte[4096];
        for (long left = count; left > 0; left -= waste.Length)
            Fill(waste[..(int)Math.Min(left, waste.Length)]);
    }

    /// <summary>A 32-bit number of a content read by <see cref="Bytes"/>.</summary>
    public int Int32(ReadOnlySpan<byte> bytes) =>
        bigEndian ? BinaryPrimitives.ReadInt32BigEndian(bytes) : BinaryPrimitives.ReadInt32LittleEndian(bytes);

    private static long Padding(MatElement element) => element.Small ? 4 - element.Length : (8 - element.Length % 8) % 8;

    private static SampleType TypeOf(int code) =>
        code switch
        {
            1 => SampleType.Int8,
            2 => SampleType.UInt8,
            3 => SampleType.Int16,
            4 => SampleType.UInt16,
            5 => SampleType.Int32,
            6 => SampleType.UInt32,
            7 => SampleType.Float32,
            9 => SampleType.Float64,
            12 => SampleType.Int64,
            13 => SampleType.UInt64,
            _ => throw new InvalidDataException(),
        };

    private uint Word()
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes);
        return bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private void Fill(Span<byte> bytes)
    {
        stream.ReadExactly(bytes);
        Position += bytes.Length;
    }
}
