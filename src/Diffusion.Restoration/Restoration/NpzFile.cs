using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Diffusion.Restoration;

/// <summary>NumPy's <c>.npz</c>: float32 arrays in a zip file. Measurements that are no picture are kept in it.</summary>
public static class NpzFile
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
}
