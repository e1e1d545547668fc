using System.Globalization;
using System.Text;

namespace Diffusion.Tests.Parity;

/// <summary>Writes what <c>matrix</c> reads.</summary>
internal static class NpyFile
{
    public static void Write(string path, Tensor matrix)
    {
        string shape = string.Join(", ", matrix.shape.Select(n => n.ToString(CultureInfo.InvariantCulture)));
        byte[] header = Encoding.ASCII.GetBytes($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}".PadRight(117) + "\n");
        using BinaryWriter writer = new(File.Create(path));
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(header);
        writer.Write(matrix.bytes);
    }
}
