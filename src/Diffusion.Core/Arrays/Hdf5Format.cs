using Diffusion.Native;
using Diffusion.Runtime;
using PureHDF;
using PureHDF.VOL.Native;

namespace Diffusion.Arrays;

/// <summary>HDF5 files, and those of MATLAB 7.3, which keep their axes in reverse order.</summary>
internal static class Hdf5Format
{
    private const int Deepest = 16,
        MostObjects = 10_000;

    // Deflate shrinks to a thousandth at best.
    private const long MostExpansion = 1100;

    /// <summary>The signature; it may stand at 0, 512, 1024, ...</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads one array.</summary>
    /// <param name="stream">Seekable; borrowed.</param>
    /// <param name="selection">The array by key; of a MATLAB cell array, the cell by page.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">Damaged, no such array, several and no name, or a type that is no number.</exception>
    public static NumericArray Read(Stream stream, ArraySelection selection, string where)
    {
        NativeTorch.Prepare();
        try
        {
            using NativeFile file = H5File.Open(stream, leaveOpen: true);
            List<(string Name, IH5Dataset Set)> sets = [];
            Collect(file, "", sets, 0);
            int index = ArrayNames.Choose([.. sets.Select(s => s.Name)], selection.Key, where);
            (string name, IH5Dataset set) = sets[index];
            return Read(file, set, name, selection, stream.Length, where) with { Name = name };
        }
        catch (Exception exception) when (exception is not (DiffusionException or OutOfMemoryException))
        {
            // The library names damage in many ways, by its own and by the runtime's exceptions.
            throw new ImageException(
                "The HDF5 file is damaged or packed in a way that is not supported",
                where,
                "Write it again, with gzip or without compression",
                exception
            );
        }
    }

    private static void Collect(IH5Group group, string path, List<(string, IH5Dataset)> sets, int depth)
    {
        foreach (IH5Object child in group.Children())
        {
            // MATLAB keeps the contents of cells there.
            if (child.Name is "#refs#" or "#subsystem#")
                continue;
            string name = path.Length == 0 ? child.Name : $"{path}/{child.Name}";
            if (child is IH5Dataset set && (TypeOf(set.Type) is not null || IsReference(set)))
                sets.Add((name, set));
            else if (child is IH5Group inner && depth < Deepest && sets.Count < MostObjects)
                Collect(inner, name, sets, depth + 1);
        }
    }

    private static NumericArray Read(
        NativeFile file,
        IH5Dataset set,
        string name,
        ArraySelection selection,
        long fileLength,
        string where
    )
    {
        bool matlab = set.AttributeExists("MATLAB_class");
        long[] shape = [.. set.Space.Dimensions.Select(d => checked((long)d))];
        if (IsReference(set))
            return Cell(file, set, name, selection, fileLength, where);
        SampleType type = TypeOf(set.Type) ?? throw new ImageException($"\"{name}\" holds no numbers", where, "Choose another array");
        ArrayLayout layout = new(type, shape);
        long bytes = layout.Count(where) * type.Size();
        if (bytes / MostExpansion > fileLength)
            throw new ImageException($"The array claims {ArrayLayout.Describe(shape)} values, more than the file can hold", where, "Write it again");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor values = Values(set, type, shape);
        if (matlab && shape.Length > 1)
            values = values.permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(a => (long)a)]).contiguous();
        return new NumericArray(values.MoveToOuterDisposeScope(), type);
    }

    private static NumericArray Cell(
        NativeFile file,
        IH5Dataset set,
        string name,
        ArraySelection selection,
        long fileLength,
        string where
    )
    {
        long cells = set.Space.Dimensions.Aggregate(1L, (a, b) => checked(a * (long)b));
        if (cells is < 1 or > MostObjects)
            throw new ImageException($"The cell array \"{name}\" has {cells} cells", where, "Save the array by itself");
        if (selection.Page is null && cells > 1)
            throw new ImageException($"The variable \"{name}\" holds {cells} arrays", where, $"Choose one with page=1 to page={cells}");
        int page = selection.Page ?? 1;
        if (page < 1 || page > cells)
            throw new ImageException($"There is no page {page}: the variable \"{name}\" holds {cells} arrays", where, $"Choose 1 to {cells}");
        NativeObjectReference1 reference = set.Read<NativeObjectReference1[]>()[page - 1];
        return file.Get(reference) is IH5Dataset cell && !IsReference(cell)
            ? Read(file, cell, name, selection, fileLength, where) with
            {
                Paged = true,
            }
            : throw new ImageException($"Cell {page} of \"{name}\" holds no numbers", where, "Save the array by itself");
    }

    private static bool IsReference(IH5Dataset set) => set.Type.Class == H5DataTypeClass.Reference;

    private static SampleType? TypeOf(IH5DataType type) =>
        type.Class switch
        {
            H5DataTypeClass.FixedPoint => SampleTypes.Integer(type.Size, type.FixedPoint.IsSigned),
            H5DataTypeClass.FloatingPoint => SampleTypes.Float(type.Size),
            H5DataTypeClass.Enumerated when type.Size == 1 => SampleType.Bool,
            H5DataTypeClass.BitField when type.Size == 1 => SampleType.Bool,
            H5DataTypeClass.Compound when type.Compound.Members is [{ } real, { } imaginary]
                && IsPart(real.Name, 'r')
                && IsPart(imaginary.Name, 'i')
                && real.Type.Class == H5DataTypeClass.FloatingPoint
                && imaginary.Type.Class == H5DataTypeClass.FloatingPoint
                && real.Type.Size == imaginary.Type.Size
                && type.Size == 2 * real.Type.Size => type.Size switch
            {
                8 => SampleType.Complex64,
                16 => SampleType.Complex128,
                _ => null,
            },
            _ => null,
        };

    private static bool IsPart(string name, char first) => name.Length > 0 && char.ToLowerInvariant(name[0]) == first;

    private static Tensor Values(IH5Dataset set, SampleType type, long[] shape) =>
        type switch
        {
            SampleType.Bool or SampleType.UInt8 => Flat(set.Read<byte[]>(), shape),
            SampleType.Int8 => Flat(Array.ConvertAll(set.Read<sbyte[]>(), v => (float)v), shape),
            SampleType.UInt16 => Flat(Array.ConvertAll(set.Read<ushort[]>(), v => (float)v), shape),
            SampleType.Int16 => Flat(Array.ConvertAll(set.Read<short[]>(), v => (float)v), shape),
            SampleType.UInt32 => Flat(Array.ConvertAll(set.Read<uint[]>(), v => (double)v), shape),
            SampleType.Int32 => Flat(Array.ConvertAll(set.Read<int[]>(), v => (double)v), shape),
            SampleType.UInt64 => Flat(Array.ConvertAll(set.Read<ulong[]>(), v => (double)v), shape),
            SampleType.Int64 => Flat(Array.ConvertAll(set.Read<long[]>(), v => (double)v), shape),
            SampleType.Float16 => Flat(Array.ConvertAll(set.Read<Half[]>(), v => (float)v), shape),
            SampleType.Float32 => Flat(set.Read<float[]>(), shape),
            SampleType.Float64 => Flat(set.Read<double[]>(), shape),
            SampleType.Complex64 => Complex(set.Read<ComplexSingle[]>(), shape),
            _ => Complex(set.Read<ComplexDouble[]>(), shape),
        };

    private static Tensor Flat(byte[] values, long[] shape) => torch.tensor(values).to(ScalarType.Float32).reshape(shape);

    private static Tensor Flat(float[] values, long[] shape) => torch.tensor(values).reshape(shape);

    private static Tensor Flat(double[] values, long[] shape) => torch.tensor(values).reshape(shape);

    private static Tensor Complex(ComplexSingle[] values, long[] shape) =>
        torch.complex(
            Flat(Array.ConvertAll(values, v => v.Real), shape),
            Flat(Array.ConvertAll(values, v => v.Imaginary), shape)
        );

    private static Tensor Complex(ComplexDouble[] values, long[] shape) =>
        torch.complex(
            Flat(Array.ConvertAll(values, v => v.Real), shape),
            Flat(Array.ConvertAll(values, v => v.Imaginary), shape)
        );

    private readonly record struct ComplexSingle(float Real, float Imaginary);

    private readonly record struct ComplexDouble(double Real, double Imaginary);
}
