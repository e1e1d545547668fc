using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>A header and data unit of a FITS file.</summary>
internal sealed class FitsUnit
{
    private readonly Stream _stream;
    private readonly string _where;
    private readonly long _start;

    /// <param name="stream">Stands behind the header.</param>
    /// <param name="index">Counted from 0.</param>
    /// <param name="header">The header.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="InvalidDataException">The header makes no sense.</exception>
    public FitsUnit(Stream stream, int index, FitsHeader header, string where)
    {
        (_stream, _where, _start, Index, Header) = (stream, where, stream.Position, index, header);
        long axes = header.Integer("NAXIS") ?? throw new InvalidDataException();
        if (axes is < 0 or > 32)
            throw new InvalidDataException();
        Shape = [.. Enumerable.Range(1, (int)axes).Select(i => header.Integer($"NAXIS{i}") ?? throw new InvalidDataException()).Reverse()];
        if (Shape.Any(size => size < 0))
            throw new InvalidDataException();
        Bits = (int)(header.Integer("BITPIX") ?? throw new InvalidDataException());
        long values = Shape.Length == 0 ? 0 : Shape.Aggregate(1L, (a, b) => checked(a * b));
        long bytes = checked((values + (header.Integer("PCOUNT") ?? 0)) * (header.Integer("GCOUNT") ?? 1) * (Math.Abs(Bits) / 8));
        if (bytes < 0)
            throw new InvalidDataException();
        End = checked(_start + bytes + (FitsHeader.Block - bytes % FitsHeader.Block) % FitsHeader.Block);
    }

    /// <summary>Counted from 0.</summary>
    public int Index { get; }

    /// <summary>The header.</summary>
    public FitsHeader Header { get; }

    /// <summary>Sizes of the axes, NAXIS1 last.</summary>
    public long[] Shape { get; }

    /// <summary>BITPIX: 8, 16, 32 and 64 for integers, -32 and -64 for floats.</summary>
    public int Bits { get; }

    /// <summary>Where the next unit begins.</summary>
    public long End { get; }

    /// <summary>What a user may want to know.</summary>
    public IReadOnlyList<string> Notes { get; set; } = [];

    /// <summary>Whether it holds an array that is no table.</summary>
    public bool IsPicture => Shape.Length > 0 && Shape.All(s => s > 0) && (Index == 0 || Header.Text("XTENSION") == "IMAGE");

    /// <summary>How messages call it.</summary>
    public string Label => Header.Text("EXTNAME") is { Length: > 0 } name ? $"{Index} {name}" : $"{Index}";

    /// <summary>What to do where this unit is no picture.</summary>
    public string Advice(FitsUnit[] pictures) =>
        pictures.Length > 0 ? $"Choose hdu={string.Join(", hdu=", pictures.Take(8).Select(p => p.Index))}"
        : Header.Text("ZIMAGE") == "T" ? "Its picture is compressed in tiles, which is not supported: unpack it with funpack or astropy"
        : "Write a picture into it, or name another file";

    /// <summary>The number type of the values, with the standard's way of writing unsigned integers resolved.</summary>
    public SampleType Type =>
        (Bits, Scale, Zero) switch
        {
            (8, 1, -128) => SampleType.Int8,
            (16, 1, 32768) => SampleType.UInt16,
            (32, 1, 2147483648) => SampleType.UInt32,
            (64, 1, 9223372036854775808) => SampleType.UInt64,
            (_, 1, 0) => Stored,
            _ => SampleType.Float64,
        };

    /// <summary>The array.</summary>
    /// <exception cref="ImageException">The file ends within it.</exception>
    public NumericArray Values()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _stream.Position = _start;
        if (Type == SampleType.UInt64)
            return new NumericArray(Unsigned().MoveToOuterDisposeScope(), Type) { Name = Label, Notes = Notes };
        Tensor values = ArraySamples.Read(_stream, new ArrayLayout(Stored, Shape, BigEndian: true), _where);
        Tensor scaled = values;
        if (Scale != 1 || Zero != 0)
            scaled = values.to(Type == SampleType.Float64 ? ScalarType.Float64 : values.dtype) * Scale + Zero;
        bool blanks = false;
        if (Bits > 0 && Header.Integer("BLANK") is { } blank)
        {
            Tensor missing = values.eq((double)blank);
            blanks = missing.any().item<bool>();
            scaled = blanks ? scaled.masked_fill(missing, double.NaN) : scaled;
        }
        return new NumericArray(scaled.MoveToOuterDisposeScope(), blanks ? SampleType.Float64 : Type) { Name = Label, Notes = Notes };
    }

    // BZERO is half of what 64 bits hold, more than a double adds exactly: the same is the first bit the other way round.
    private Tensor Unsigned()
    {
        ArrayLayout layout = new(SampleType.UInt64, Shape, BigEndian: true);
        long bytes = layout.Count(_where) * sizeof(ulong);
        if (bytes > _stream.Length - _start || bytes > Array.MaxLength)
            return ArraySamples.Read(_stream, layout, _where);
        byte[] data = new byte[bytes];
        _stream.ReadExactly(data);
        for (int i = 0; i < data.Length; i += sizeof(ulong))
            data[i] ^= 0x80;
        return ArraySamples.FromMemory(data, layout, _where);
    }

    private double Scale => Header.Number("BSCALE") ?? 1;

    private double Zero => Header.Number("BZERO") ?? 0;

    private SampleType Stored =>
        Bits switch
        {
            8 => SampleType.UInt8,
            16 => SampleType.Int16,
            32 => SampleType.Int32,
            64 => SampleType.Int64,
            -32 => SampleType.Float32,
            -64 => SampleType.Float64,
            _ => throw new ImageException($"BITPIX is {Bits}", _where, "FITS knows 8, 16, 32, 64, -32 and -64: write it again"),
        };
}
