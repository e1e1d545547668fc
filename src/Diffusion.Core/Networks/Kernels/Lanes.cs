using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Networks.Kernels;

/// <summary>Sixteen float32 numbers at a time, read from and written to float32 or bfloat16 memory.</summary>
internal static unsafe class Lanes
{
    /// <summary>Numbers in one step.</summary>
    public const int Count = 16;

    /// <summary>Reads sixteen numbers of type <typeparamref name="T"/>: float, or ushort for bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(T* source)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector512.Load((float*)source);
        Vector256<ushort> halves = Vector256.Load((ushort*)source);
        if (Avx512F.IsSupported)
            return (Avx512F.ConvertToVector512UInt32(halves) << 16).AsSingle();
        return (Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves)) << 16).AsSingle();
    }

    /// <summary>Reads one number.</summary>
    public static float Single<T>(T* source)
        where T : unmanaged => typeof(T) == typeof(float) ? *(float*)source : BitConverter.UInt32BitsToSingle((uint)*(ushort*)source << 16);

    /// <summary>Writes sixteen numbers, rounding to nearest even where the memory is bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<float> values, T* target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            values.Store((float*)target);
            return;
        }
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        if (Avx512F.IsSupported)
            Avx512F.ConvertToVector256UInt16(rounded).Store((ushort*)target);
        else
            Vector256.Narrow(rounded.GetLower(), rounded.GetUpper()).Store((ushort*)target);
    }

    /// <summary>
    /// v / (1 + exp(-v)), exact to about 2 units in the last place, or to 1e-4 of the value where it is to be rounded to bfloat16, whose
    /// own error is up to 40 times that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu<TOut>(Vector512<float> v)
        where TOut : unmanaged =>
        typeof(TOut) == typeof(float) || !Avx512F.IsSupported
            ? v * Sigmoid(v)
            : v
                * Avx512F.Reciprocal14(
                    Vector512<float>.One + RoughPower(Vector512.Min(v * Vector512.Create(-1.44269504f), Vector512.Create(126f)))
                );

    /// <summary>2^z for z up to 126: the cubic with the least relative error, 7.5e-5, between -1/2 and 1/2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> RoughPower(Vector512<float> z)
    {
        Vector512<float> n = Vector512.Round(z),
            f = z - n;
        Vector512<float> p = Vector512.FusedMultiplyAdd(Vector512.Create(0.05517167f), f, Vector512.Create(0.24261112f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.69326099f));
        return Avx512F.Scale(Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.99992807f)), n);
    }

    /// <summary>1 / (1 + exp(-v)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> v)
    {
        // Beyond 87 the exponential would overflow; the result is 0 long before.
        Vector512<float> denominator = Vector512<float>.One + Exp(Vector512.Min(-v, Vector512.Create(87f)));
        if (!Avx512F.IsSupported)
            return Vector512<float>.One / denominator;
        Vector512<float> r = Avx512F.Reciprocal14(denominator);
        return r * Vector512.FusedMultiplyAdd(-denominator, r, Vector512.Create(2f));
    }

    /// <summary>The derivative of SiLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SiluSlope(Vector512<float> v)
    {
        Vector512<float> s = Sigmoid(v);
        return s * Vector512.FusedMultiplyAdd(v, Vector512<float>.One - s, Vector512<float>.One);
    }

    /// <summary>2^n times a polynomial of the rest (Cephes), for x up to 87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        if (!Avx512F.IsSupported)
            x = Vector512.Max(x, Vector512.Create(-87f));
        Vector512<float> n = Vector512.Round(x * Vector512.Create(1.44269504f));
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        if (Avx512F.IsSupported)
            return Avx512F.Scale(p, n);
        return p * ((Vector512.ConvertToInt32(n) + Vector512.Create(127)) << 23).AsSingle();
    }
}
