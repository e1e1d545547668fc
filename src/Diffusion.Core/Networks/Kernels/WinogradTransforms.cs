using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// The three transforms of F(4x4, 3x3) along one side of a tile, for 16 channels at once, as multiplications and sums (Lavin and Gray,
/// "Fast Algorithms for Convolutional Neural Networks", 2016, section 4.3).
/// </summary>
internal static unsafe class WinogradTransforms
{
    /// <summary>Six numbers by B^T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Data(
        Vector512<float> d0,
        Vector512<float> d1,
        Vector512<float> d2,
        Vector512<float> d3,
        Vector512<float> d4,
        Vector512<float> d5,
        Vector512<float>* to,
        int stride
    )
    {
        Vector512<float> two = Vector512.Create(2f),
            four = Vector512.Create(4f),
            minusFour = Vector512.Create(-4f),
            minusFive = Vector512.Create(-5f);
        Vector512<float> even = Vector512.FusedMultiplyAdd(minusFour, d2, d4),
            odd = Vector512.FusedMultiplyAdd(minusFour, d1, d3),
            apart = d4 - d2,
            twice = two * (d3 - d1);
        to[0] = Vector512.FusedMultiplyAdd(four, d0, Vector512.FusedMultiplyAdd(minusFive, d2, d4));
        to[stride] = even + odd;
        to[2 * stride] = even - odd;
        to[3 * stride] = apart + twice;
        to[4 * stride] = apart - twice;
        to[5 * stride] = Vector512.FusedMultiplyAdd(four, d1, Vector512.FusedMultiplyAdd(minusFive, d3, d5));
    }

    /// <summary>Three numbers by G.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Kernel(Vector512<float> g0, Vector512<float> g1, Vector512<float> g2, Vector512<float>* to, int stride)
    {
        Vector512<float> sum = (g0 + g2) * (-1f / 6),
            middle = g1 * (-1f / 6),
            far = g0 * (1f / 24) + g2 * (1f / 6),
            tilt = g1 * (1f / 12);
        to[0] = g0 * 0.25f;
        to[stride] = sum + middle;
        to[2 * stride] = sum - middle;
        to[3 * stride] = far + tilt;
        to[4 * stride] = far - tilt;
        to[5 * stride] = g2;
    }

    /// <summary>Six numbers by A^T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Result(
        Vector512<float> m0,
        Vector512<float> m1,
        Vector512<float> m2,
        Vector512<float> m3,
        Vector512<float> m4,
        Vector512<float> m5,
        Vector512<float>* to,
        int stride
    )
    {
        Vector512<float> near = m1 + m2,
            nearApart = m1 - m2,
            far = m3 + m4,
            farApart = m3 - m4;
        to[0] = m0 + near + far;
        to[stride] = Vector512.FusedMultiplyAdd(Vector512.Create(2f), farApart, nearApart);
        to[2 * stride] = Vector512.FusedMultiplyAdd(Vector512.Create(4f), far, near);
        to[3 * stride] = Vector512.FusedMultiplyAdd(Vector512.Create(8f), farApart, nearApart) + m5;
    }
}
