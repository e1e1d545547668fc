using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Networks.Kernels;

/// <summary>The inner product of <see cref="WinogradConvolution"/>: a block of tiles and outputs whose sums stay in registers.</summary>
internal static unsafe class TileProducts
{
    /// <summary>Tiles and outputs of a block.</summary>
    public const int Tiles = 8,
        Outputs = 2 * Lanes.Count;

    /// <summary>[8 tiles][32 outputs] = [8][inputs] times [inputs][32].</summary>
    /// <param name="v">The tiles at one position, <paramref name="inputs"/> floats each.</param>
    /// <param name="u">The kernels at that position, rows of <paramref name="outputs"/> floats.</param>
    /// <param name="m">The sums, rows of <paramref name="outputs"/> floats.</param>
    /// <param name="inputs">Channels that are summed.</param>
    /// <param name="outputs">Channels of a whole row.</param>
    public static void Run(float* v, float* u, float* m, int inputs, int outputs)
    {
        if (Avx512F.IsSupported)
        {
            Wide(v, u, m, inputs, outputs);
            return;
        }
        for (int t = 0; t < Tiles; t += 4)
        for (int k = 0; k < Outputs; k += Lanes.Count)
            Narrow(v + t * inputs, u + k, m + t * outputs + k, inputs, outputs);
    }

    /// <summary>[8 tiles][32 outputs] = [8][inputs] times [inputs][32]: 16 sums in the 32 registers of AVX-512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide(float* v, float* u, float* m, int inputs, int outputs)
    {
        Vector512<float> a0 = default,
            a1 = default,
            a2 = default,
            a3 = default,
            a4 = default,
            a5 = default,
            a6 = default,
            a7 = default;
        Vector512<float> b0 = default,
            b1 = default,
            b2 = default,
            b3 = default,
            b4 = default,
            b5 = default,
            b6 = default,
            b7 = default;
        int one = inputs,
            three = 3 * inputs,
            five = 5 * inputs,
            seven = 7 * inputs;
        for (float* end = v + inputs; v < end; v++, u += outputs)
        {
            Vector512<float> f = Vector512.Load(u),
                g = Vector512.Load(u + Lanes.Count);
            Vector512<float> t = Vector512.Create(v[0]);
            (a0, b0) = (Vector512.FusedMultiplyAdd(t, f, a0), Vector512.FusedMultiplyAdd(t, g, b0));
            t = Vector512.Create(v[one]);
            (a1, b1) = (Vector512.FusedMultiplyAdd(t, f, a1), Vector512.FusedMultiplyAdd(t, g, b1));
            t = Vector512.Create(v[2 * one]);
            (a2, b2) = (Vector512.FusedMultiplyAdd(t, f, a2), Vector512.FusedMultiplyAdd(t, g, b2));
            t = Vector512.Create(v[three]);
            (a3, b3) = (Vector512.FusedMultiplyAdd(t, f, a3), Vector512.FusedMultiplyAdd(t, g, b3));
            t = Vector512.Create(v[4 * one]);
            (a4, b4) = (Vector512.FusedMultiplyAdd(t, f, a4), Vector512.FusedMultiplyAdd(t, g, b4));
            t = Vector512.Create(v[five]);
            (a5, b5) = (Vector512.FusedMultiplyAdd(t, f, a5), Vector512.FusedMultiplyAdd(t, g, b5));
            t = Vector512.Create(v[2 * three]);
            (a6, b6) = (Vector512.FusedMultiplyAdd(t, f, a6), Vector512.FusedMultiplyAdd(t, g, b6));
            t = Vector512.Create(v[seven]);
            (a7, b7) = (Vector512.FusedMultiplyAdd(t, f, a7), Vector512.FusedMultiplyAdd(t, g, b7));
        }
        Keep(a0, b0, m);
        Keep(a1, b1, m + outputs);
        Keep(a2, b2, m + 2 * outputs);
        Keep(a3, b3, m + 3 * outputs);
        Keep(a4, b4, m + 4 * outputs);
        Keep(a5, b5, m + 5 * outputs);
        Keep(a6, b6, m + 6 * outputs);
        Keep(a7, b7, m + 7 * outputs);

        static void Keep(Vector512<float> low, Vector512<float> high, float* to)
        {
            low.Store(to);
            high.Store(to + Lanes.Count);
        }
    }

    /// <summary>[4 tiles][16 outputs] = [4][inputs] times [inputs][16]: 8 sums in the 16 registers of AVX2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* v, float* u, float* m, int inputs, int outputs)
    {
        Vector256<float> a0 = default,
            a1 = default,
            a2 = default,
            a3 = default,
            b0 = default,
            b1 = default,
            b2 = default,
            b3 = default;
        for (float* end = v + inputs; v < end; v++, u += outputs)
        {
            Vector256<float> f = Vector256.Load(u),
                g = Vector256.Load(u + Vector256<float>.Count);
            Vector256<float> t = Vector256.Create(v[0]);
            (a0, b0) = (Vector256.FusedMultiplyAdd(t, f, a0), Vector256.FusedMultiplyAdd(t, g, b0));
            t = Vector256.Create(v[inputs]);
            (a1, b1) = (Vector256.FusedMultiplyAdd(t, f, a1), Vector256.FusedMultiplyAdd(t, g, b1));
            t = Vector256.Create(v[2 * inputs]);
            (a2, b2) = (Vector256.FusedMultiplyAdd(t, f, a2), Vector256.FusedMultiplyAdd(t, g, b2));
            t = Vector256.Create(v[3 * inputs]);
            (a3, b3) = (Vector256.FusedMultiplyAdd(t, f, a3), Vector256.FusedMultiplyAdd(t, g, b3));
        }
        Vector512.Create(a0, b0).Store(m);
        Vector512.Create(a1, b1).Store(m + outputs);
        Vector512.Create(a2, b2).Store(m + 2 * outputs);
        Vector512.Create(a3, b3).Store(m + 3 * outputs);
    }
}
