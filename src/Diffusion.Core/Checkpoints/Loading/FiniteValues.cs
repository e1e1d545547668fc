using System.Numerics;
using System.Runtime.InteropServices;

namespace Diffusion.Checkpoints;

/// <summary>Tells whether weights hold NaN or infinity: where all bits of the exponent are set.</summary>
internal static class FiniteValues
{
    /// <summary>Whether every element of a contiguous CPU tensor is finite.</summary>
    public static bool All(Tensor tensor) =>
        tensor.dtype switch
        {
            ScalarType.BFloat16 => All<ushort>(tensor, 0x7F80),
            ScalarType.Float16 => All<ushort>(tensor, 0x7C00),
            ScalarType.Float32 => All(tensor, 0x7F800000u),
            ScalarType.Float64 => All(tensor, 0x7FF0000000000000ul),
            _ => true,
        };

    private static bool All<T>(Tensor tensor, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (long done = 0, length = TensorMemory.Length(tensor); done < length; )
        {
            Span<byte> piece = TensorMemory.From(tensor, done);
            if (!All(MemoryMarshal.Cast<byte, T>(piece), exponent))
                return false;
            done += piece.Length;
        }
        GC.KeepAlive(tensor);
        return true;
    }

    private static bool All<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector<T> mask = new(exponent);
        int i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
            if (Vector.EqualsAny(new Vector<T>(bits[i..]) & mask, mask))
                return false;
        for (; i < bits.Length; i++)
            if ((bits[i] & exponent) == exponent)
                return false;
        return true;
    }
}
