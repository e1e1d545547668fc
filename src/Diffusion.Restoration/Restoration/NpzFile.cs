using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>NumPy's <c>.npz</c>: float32 arrays in a zip file. Measurements that are no picture are kept in it.</summary>
public static partial class NpzFile
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    /// <summary>Writes one array.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="name">The array's name, without <c>.npy</c>.</param>
    /// <param name="values">[...] float32 on any device; borrowed.</param>
    public static void Write(Stream stream, string name, Tensor values)
    {
        using ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true);
        using Stream entry = zip.CreateEntry(name + ".npy", CompressionLevel.Fastest).Open();
        string shape =
            string.Join(", ", values.shape.Select(d => d.ToString(CultureInfo.InvariantCulture))) + (values.dim() == 1 ? "," : "");
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}";
        header = header.PadRight((header.Length + Magic.Length + 3 + 63) / 64 * 64 - Magic.Length - 3) + "\n";
        entry.Write(Magic);
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)header.Length);
        entry.Write(length);
        entry.Write(Encoding.ASCII.GetBytes(header));
        using Tensor flat = values.to(ScalarType.Float32).cpu().contiguous();
        entry.Write(flat.bytes);
    }

    /// <summary>Reads one array.</summary>
    /// <param name="stream">A seekable stream.</param>
    /// <param name="name">The array's name, without <c>.npy</c>; null takes the only one.</param>
    /// <param name="path">For error messages.</param>
    /// <returns>[...] float32; the caller owns it.</returns>
    /// <exception cref="ImageException">
    /// No npz file, no such array, not float32, or the data is shorter or longer than the header says.
    /// </exception>
    public static Tensor Read(Stream stream, string? name, string path)
    {
        try
        {
            using ZipArchive zip = new(stream, ZipArchiveMode.Read, leaveOpen: true);
            ZipArchiveEntry entry = (
                name is null
                    ? zip.Entries is [{ } only]
                        ? only
                        : null
                    : zip.GetEntry(name + ".npy")
            ) ?? throw new ImageException($"The file holds no array {name ?? "alone"}", path);
            using Stream content = entry.Open();
            byte[] start = new byte[Magic.Length + 2];
            content.ReadExactly(start);
            if (!start.AsSpan(0, Magic.Length).SequenceEqual(Magic))
                throw new ImageException("The array is not in NumPy's format 1.0", path);
            byte[] header = new byte[BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(Magic.Length))];
            content.ReadExactly(header);
            long[] shape = Shape(Encoding.ASCII.GetString(header), path);
            return ReadValues(content, shape, path);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new ImageException("The file is damaged or no npz file", path, "Make the measurement again", e);
        }
    }

    // Grows with what is really there: a header may claim any size.
    private static Tensor ReadValues(Stream content, long[] shape, string path)
    {
        long count = 1;
        foreach (long d in shape)
            count =
                Math.BigMul(count, d, out long low) == 0 && low >= 0
                    ? low
                    : throw new ImageException("The array claims an impossible size", path);
        using MemoryStream data = new();
        content.CopyTo(data);
        if (data.Length / sizeof(float) != count || data.Length % sizeof(float) != 0)
            throw new ImageException(
                $"The array holds {data.Length} bytes, but {string.Join("x", shape)} float32 values need {count} times 4",
                path
            );
        float[] values = MemoryMarshal.Cast<byte, float>(data.GetBuffer().AsSpan(0, (int)data.Length)).ToArray();
        return torch.tensor(values).reshape(shape);
    }

    private static long[] Shape(string header, string path)
    {
        Match match = HeaderPattern().Match(header);
        if (!match.Success)
            throw new ImageException("The array is not float32 in C order", path, "Save it with numpy.savez(file, y=y.astype('float32'))");
        string[] dims = match.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        try
        {
            return [.. dims.Select(d => long.Parse(d, NumberStyles.None, CultureInfo.InvariantCulture))];
        }
        catch (OverflowException)
        {
            throw new ImageException("The array claims an impossible size", path);
        }
    }

    [GeneratedRegex(@"^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]*)\), ?\}\s*$")]
    private static partial Regex HeaderPattern();
}
