namespace Diffusion.Imaging;

/// <summary>What a resampling tap beyond the picture reads.</summary>
public enum EdgeMode
{
    /// <summary>The mirrored picture, edge sample repeated: <c>c b a | a b c | c b a</c>.</summary>
    Symmetric,

    /// <summary>The mirrored picture, edge sample not repeated: <c>c b | a b c | b a</c>.</summary>
    Reflect,

    /// <summary>The edge sample: <c>a a | a b c | c c</c>.</summary>
    Replicate,

    /// <summary>The opposite side: <c>b c | a b c | a b</c>.</summary>
    Circular,

    /// <summary>Zero.</summary>
    Zero,
}

/// <summary>Index arithmetic of the edge modes.</summary>
public static class EdgeModes
{
    /// <summary>
    /// The sample 0..<paramref name="length"/>-1 that stands for index <paramref name="i"/>, any distance outside; -1 for zero.
    /// </summary>
    public static int Resolve(this EdgeMode mode, long i, int length)
    {
        if (i >= 0 && i < length)
            return (int)i;
        switch (mode)
        {
            case EdgeMode.Symmetric:
                long twice = Modulo(i, 2L * length);
                return (int)(twice < length ? twice : 2L * length - 1 - twice);
            case EdgeMode.Reflect:
                if (length == 1)
                    return 0;
                long period = 2L * length - 2,
                    inside = Modulo(i, period);
                return (int)(inside < length ? inside : period - inside);
            case EdgeMode.Replicate:
                return i < 0 ? 0 : length - 1;
            case EdgeMode.Circular:
                return (int)Modulo(i, length);
            default:
                return -1;
        }
    }

    private static long Modulo(long i, long n) => ((i % n) + n) % n;
}
