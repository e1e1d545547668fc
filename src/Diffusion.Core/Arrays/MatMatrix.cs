using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>The head of a variable, with a reader that stands at its values.</summary>
internal sealed class MatMatrix
{
    private const int CellClass = 1,
        FirstNumber = 6,
        LastNumber = 15,
        ComplexFlag = 0x08,
        LogicalFlag = 0x02,
        MostCells = 10_000,
        LongestName = 4096;

    private readonly MatReader _reader;
    private readonly int _class,
        _flags;

    private MatMatrix(MatReader reader, int kind, int flags, long[] shape, string name) =>
        (_reader, _class, _flags, Shape, Name) = (reader, kind, flags, shape, name);

    /// <summary>Rows, columns and more.</summary>
    public long[] Shape { get; }

    /// <summary>The variable's name; empty in cells.</summary>
    public string Name { get; }

    /// <summary>Whether it holds numbers, or cells that may.</summary>
    public bool IsArray => _class is CellClass or (>= FirstNumber and <= LastNumber);

    /// <summary>Reads the head of a variable at the reader's position.</summary>
    public static MatMatrix Read(MatReader reader)
    {
        byte[] flags = reader.Bytes(reader.Next(), 16);
        if (flags.Length < 4)
            throw new InvalidDataException();
        int word = reader.Int32(flags);
        byte[] sizes = reader.Bytes(reader.Next(), 32 * 4);
        long[] shape = [.. Enumerable.Range(0, sizes.Length / 4).Select(i => (long)reader.Int32(sizes.AsSpan(4 * i)))];
        string name = Encoding.UTF8.GetString(reader.Bytes(reader.Next(), LongestName));
        return new MatMatrix(reader, word & 0xFF, word >> 8, shape, name);
    }

    /// <summary>The numbers; of a cell array, those of one cell.</summary>
    public NumericArray Values(ArraySelection selection, string where)
    {
        if (_class != CellClass)
            return Numbers() with { Name = Name };
        long cells = Shape.Aggregate(1L, (a, b) => a * b);
        if (cells is < 1 or > MostCells)
            throw new ImageException($"The cell array \"{Name}\" has {cells} cells", where, "Save the array by itself");
        if (selection.Page is null && cells > 1)
            throw new ImageException(
                $"The variable \"{Name}\" holds {cells} arrays: {string.Join(", ", Cells(cells))}",
                where,
                $"Choose one with page=1 to page={cells}"
            );
        int page = selection.Page ?? 1;
        if (page < 1 || page > cells)
            throw new ImageException(
                $"There is no page {page}: the variable \"{Name}\" holds {cells} arrays",
                where,
                $"Choose 1 to {cells}"
            );
        for (int i = 1; i < page; i++)
            Pass(_reader.Next());
        MatElement element = _reader.Next();
        return element.Type == 14 && Read(_reader) is { _class: not CellClass } cell
            ? cell.Numbers() with
            {
                Name = Name,
                Paged = true,
            }
            : throw new ImageException($"Cell {page} of \"{Name}\" holds no numbers", where, "Save the array by itself");
    }

    private IEnumerable<string> Cells(long count)
    {
        const int Listed = 12;
        for (int i = 0; i < Math.Min(count, Listed); i++)
        {
            MatElement element = _reader.Next();
            long start = _reader.Position;
            yield return element is { Type: 14, Length: > 0 } ? string.Join("x", Read(_reader).Shape) : "empty";
            _reader.Skip(start + element.Length - _reader.Position);
        }
        if (count > Listed)
            yield return "...";
    }

    private void Pass(MatElement element) => _reader.Skip(element.Length);

    private NumericArray Numbers()
    {
        if (_class is < FirstNumber or > LastNumber)
            throw new ImageException($"\"{Name}\" holds no numbers", _reader.Where, "Save the array by itself");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor values = _reader.Values(_reader.Next(), Shape);
        SampleType type = ClassType();
        if ((_flags & ComplexFlag) != 0)
        {
            Tensor imaginary = _reader.Values(_reader.Next(), Shape);
            type = type == SampleType.Float32 ? SampleType.Complex64 : SampleType.Complex128;
            ScalarType part = type == SampleType.Complex64 ? ScalarType.Float32 : ScalarType.Float64;
            values = torch.complex(values.to(part), imaginary.to(part));
        }
        // What is stored may be narrower than the variable's class.
        return new NumericArray(values.to(type.Tensor()).MoveToOuterDisposeScope(), type);
    }

    private SampleType ClassType() =>
        _class switch
        {
            6 => SampleType.Float64,
            7 => SampleType.Float32,
            8 => SampleType.Int8,
            9 when (_flags & LogicalFlag) != 0 => SampleType.Bool,
            9 => SampleType.UInt8,
            10 => SampleType.Int16,
            11 => SampleType.UInt16,
            12 => SampleType.Int32,
            13 => SampleType.UInt32,
            14 => SampleType.Int64,
            _ => SampleType.UInt64,
        };
}
