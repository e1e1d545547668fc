using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Diffusion.Imaging;

/// <summary>Undoes the differences that compression works on, and the byte order of the file.</summary>
internal static class TiffPredictor
{
    private const int Horizontal = 2,
        Float = 3;

    /// <summary>Decodes in place. Afterwards every sample of 8 bits or more has its least significant byte first.</summary>
    /// <exception cref="InvalidDataException">A predictor that does not fit the samples.</exception>
    public static void Undo(byte[] bytes, TiffLayout layout, bool bigEndian)
    {
        int size = layout.Bits / 8,
            row = (int)layout.RowBytes;
        bool whole = layout.Bits % 8 == 0;
        switch (layout.Compression == 1 ? 1 : layout.Predictor)
        {
            case Horizontal when whole:
                Swap(bytes, size, bigEndian);
                for (int at = 0; at + row <= bytes.Length; at += row)
                    Sum(bytes.AsSpan(at, row), size, layout.SamplesPerChunk);
                break;
            case Float when whole && layout.Format == TiffSamples.Float:
                for (int at = 0; at + row <= bytes.Length; at += row)
                    Gather(bytes.AsSpan(at, row), size, layout.SamplesPerChunk);
                break;
            case 1:
                if (whole)
                    Swap(bytes, size, bigEndian);
                break;
            default:
                throw new InvalidDataException();
        }
    }

    private static void Swap(byte[] bytes, int size, bool bigEndian)
    {
        if (!bigEndian || size < 2)
            return;
        if (size == 2)
        {
            Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
            BinaryPrimitives.ReverseEndianness(halves, halves);
        }
        else
        {
            for (int at = 0; at + size <= bytes.Length; at += size)
                bytes.AsSpan(at, size).Reverse();
        }
    }

    /// <summary>Each sample is stored as its difference to the pixel on its left.</summary>
    private static void Sum(Span<byte> row, int size, int samples)
    {
        int step = size * samples;
        for (int at = step; at + size <= row.Length; at += size)
        {
            int carry = 0;
            for (int b = 0; b < size; b++)
            {
                int sum = row[at + b] + row[at - step + b] + carry;
                (row[at + b], carry) = ((byte)sum, sum >> 8);
            }
        }
    }

    /// <summary>Bytes of equal weight stand together, the most significant first, as differences.</summary>
    private static void Gather(Span<byte> row, int size, int samples)
    {
        for (int at = samples; at < row.Length; at++)
            row[at] += row[at - samples];
        byte[] planes = row.ToArray();
        int count = row.Length / size;
        for (int i = 0; i < count; i++)
        for (int b = 0; b < size; b++)
            row[i * size + b] = planes[(size - 1 - b) * count + i];
    }
}
