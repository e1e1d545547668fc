using Diffusion.Arrays;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Decoded bytes of a strip or tile to numbers.</summary>
internal static class TiffUnpack
{
    /// <summary>[rows, columns, samples] on the file's own scale, float32 or float64; in the current dispose scope.</summary>
    public static Tensor Values(byte[] bytes, TiffLayout layout, int rows, string where)
    {
        long[] shape = [rows, layout.ChunkWidth, layout.SamplesPerChunk];
        SampleType? type = layout.Format switch
        {
            TiffSamples.Float when layout.Bits % 8 == 0 => SampleTypes.Float(layout.Bits / 8),
            TiffSamples.Float => null,
            var format when layout.Bits % 8 == 0 => SampleTypes.Integer(layout.Bits / 8, format == TiffSamples.Signed),
            _ => null,
        };
        if (type is { } usual)
            return ArraySamples.FromMemory(bytes, new ArrayLayout(usual, shape), where);
        if (layout.Format == TiffSamples.Float)
            throw TiffUnsupported.Because($"its samples are floats of {layout.Bits} bits", where);
        return layout.Bits > 32
            ? throw TiffUnsupported.Because($"its samples have {layout.Bits} bits", where)
            : torch.tensor(Integers(bytes, layout, rows), dtype: ScalarType.Float64).reshape(shape);
    }

    /// <summary>Samples of any width, packed from the most significant bit of each byte on; rows begin at bytes.</summary>
    private static double[] Integers(byte[] bytes, TiffLayout layout, int rows)
    {
        int perRow = layout.ChunkWidth * layout.SamplesPerChunk,
            bits = layout.Bits;
        double[] values = new double[rows * perRow];
        for (int row = 0; row < rows; row++)
        {
            long bit = row * layout.RowBytes * 8;
            for (int i = 0; i < perRow; i++, bit += bits)
            {
                ulong window = 0;
                int first = (int)(bit >> 3),
                    last = (int)((bit + bits - 1) >> 3);
                // Whole bytes (24 bits) come with the least significant first, packed ones with the most significant.
                for (int b = first; b <= last; b++)
                    window = bits % 8 == 0 ? window | (ulong)bytes[b] << (8 * (b - first)) : (window << 8) | bytes[b];
                if (bits % 8 != 0)
                    window >>= (int)(8 * (last + 1L) - bit - bits);
                ulong value = window & ((1UL << bits) - 1);
                bool negative = layout.Format == TiffSamples.Signed && (value >> (bits - 1)) == 1;
                values[row * perRow + i] = negative ? (double)value - (1UL << bits) : value;
            }
        }
        return values;
    }
}
