using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Networks.Kernels;

/// <summary>
/// The passes of <see cref="NormSilu"/> over one picture [H*W, C] of float (or ushort for bfloat16), C a multiple of <see
/// cref="Lanes.Count"/>.
/// </summary>
/// <remarks>Sums are float32 over short stretches of pixels and float64 across them.</remarks>
internal static unsafe class NormSiluKernel<T>
    where T : unmanaged
{
    /// <summary>Pixels of a stretch: with 32 channels it fits the first-level cache.</summary>
    private const int Stretch = 256;

    /// <summary>
    /// Sum and sum of squares of each channel, relative to one value of it: a mean far from zero would cancel the variance.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Moments(T* x, int pixels, int channels, Span<double> sums, Span<double> squares)
    {
        sums.Clear();
        squares.Clear();
        for (int at = 0; at < pixels; at += Stretch)
        for (int c = 0; c < channels; c += Lanes.Count)
        {
            Vector512<float> sum = default,
                square = default,
                zero = Lanes.Load(x + c);
            T* p = x + (long)at * channels + c;
            for (int i = Math.Min(Stretch, pixels - at); i > 0; i--, p += channels)
            {
                Vector512<float> v = Lanes.Load(p) - zero;
                sum += v;
                square = Vector512.FusedMultiplyAdd(v, v, square);
            }
            Add(sums[c..], sum);
            Add(squares[c..], square);
        }
    }

    /// <summary>y = silu(scale x + shift).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Activate(T* x, T* y, int pixels, int channels, float* scale, float* shift)
    {
        for (int i = 0; i < pixels; i++, x += channels, y += channels)
        for (int c = 0; c < channels; c += Lanes.Count)
            Lanes.Store(
                Lanes.Silu<float>(Vector512.FusedMultiplyAdd(Lanes.Load(x + c), Vector512.Load(scale + c), Vector512.Load(shift + c))),
                y + c
            );
    }

    /// <summary>d = dL/du for u = scale x + shift, with the sums of d and d x of each channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Differentiate(
        T* x,
        T* gradient,
        T* d,
        int pixels,
        int channels,
        float* scale,
        float* shift,
        Span<double> sums,
        Span<double> products
    )
    {
        sums.Clear();
        products.Clear();
        for (int at = 0; at < pixels; at += Stretch)
        for (int c = 0; c < channels; c += Lanes.Count)
        {
            Vector512<float> a = Vector512.Load(scale + c),
                b = Vector512.Load(shift + c),
                sum = default,
                product = default;
            long offset = (long)at * channels + c;
            for (int i = Math.Min(Stretch, pixels - at); i > 0; i--, offset += channels)
            {
                Vector512<float> v = Lanes.Load(x + offset),
                    slope = Lanes.Load(gradient + offset) * Lanes.SiluSlope(Vector512.FusedMultiplyAdd(v, a, b));
                sum += slope;
                product = Vector512.FusedMultiplyAdd(slope, v, product);
                Lanes.Store(slope, d + offset);
            }
            Add(sums[c..], sum);
            Add(products[c..], product);
        }
    }

    /// <summary>d = scale d + slope x + constant, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Combine(T* x, T* d, int pixels, int channels, float* scale, float* slope, float* constant)
    {
        for (int i = 0; i < pixels; i++, x += channels, d += channels)
        for (int c = 0; c < channels; c += Lanes.Count)
        {
            Vector512<float> rest = Vector512.FusedMultiplyAdd(Lanes.Load(x + c), Vector512.Load(slope + c), Vector512.Load(constant + c));
            Lanes.Store(Vector512.FusedMultiplyAdd(Lanes.Load(d + c), Vector512.Load(scale + c), rest), d + c);
        }
    }

    private static void Add(Span<double> sums, Vector512<float> values)
    {
        for (int i = 0; i < Lanes.Count; i++)
            sums[i] += values[i];
    }
}
