using System.Reflection;
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
        NativeLibraries.LoadTorch();
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

    private static NumericArray Read(NativeFile file, IH5Dataset set, string name, ArraySelection selection, long fileLength, string where)
    {
        bool matlab = set.AttributeExists("MATLAB_class");
        long[] shape = [.. set.Space.Dimensions.Select(d => checked((long)d))];
        if (IsReference(set))
            return Cell(file, set, name, selection, fileLength, where);
        SampleType type = TypeOf(set.Type) ?? throw new ImageException($"\"{name}\" holds no numbers", where, "Choose another array");
        ArrayLayout layout = new(type, shape, type.Size() > 1 && IsBigEndian(set.Type));
        long bytes = layout.Count(where) * type.Size();
        if (bytes > Array.MaxLength)
            throw new ImageException($"The array has {bytes / 1e9:0.0} GB, more than are read from HDF5", where, "Save a part of it");
        if (bytes / MostExpansion > fileLength)
            throw new ImageException(
                $"The array claims {ArrayLayout.Describe(shape)} values, more than the file can hold",
                where,
                "Write it again"
            );
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor values = ArraySamples.FromMemory(set.Read<byte[]>(), layout, where);
        if (matlab && shape.Length > 1)
            values = values.permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(a => (long)a)]).contiguous();
        return new NumericArray(values.MoveToOuterDisposeScope(), type);
    }

    private static NumericArray Cell(NativeFile file, IH5Dataset set, string name, ArraySelection selection, long fileLength, string where)
    {
        long cells = set.Space.Dimensions.Aggregate(1L, (a, b) => checked(a * (long)b));
        if (cells is < 1 or > MostObjects)
            throw new ImageException($"The cell array \"{name}\" has {cells} cells", where, "Save the array by itself");
        if (selection.Page is null && cells > 1)
            throw new ImageException($"The variable \"{name}\" holds {cells} arrays", where, $"Choose one with page=1 to page={cells}");
        int page = selection.Page ?? 1;
        if (page < 1 || page > cells)
            throw new ImageException(
                $"There is no page {page}: the variable \"{name}\" holds {cells} arrays",
                where,
                $"Choose 1 to {cells}"
            );
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
            H5DataTypeClass.Compound
                when type.Compound.Members is [{ } real, { } imaginary]
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

    /// <summary>
    /// Whether the most significant byte comes first. The library reads such values as bytes only, and says the order to itself alone; a
    /// wrong guess would be silent.
    /// </summary>
    private static bool IsBigEndian(IH5DataType type)
    {
        const BindingFlags Inside = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;
        IH5DataType number =
            type.Class == H5DataTypeClass.Compound ? type.Compound.Members[0].Type
            : type.Class == H5DataTypeClass.Enumerated ? type.Enumeration.BaseType
            : type;
        object? message = number.GetType().GetField("_dataType", Inside)?.GetValue(number);
        object? bits = message?.GetType().GetProperty("BitField", Inside)?.GetValue(message);
        object? order = bits?.GetType().GetProperty("ByteOrder", Inside)?.GetValue(bits);
        return order?.ToString() switch
        {
            "LittleEndian" => false,
            "BigEndian" => true,
            var other => throw new InvalidDataException($"Byte order {other}"),
        };
    }
}
