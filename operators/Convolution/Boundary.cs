namespace Diffusion.Operators;

/// <summary>What a picture is taken to be beyond its edges.</summary>
public enum Boundary
{
    /// <summary>Mirrored, the edge pixel repeated: c b a | a b c.</summary>
    Symmetric,

    /// <summary>Periodic: x y z | a b c.</summary>
    Circular,

    /// <summary>Mirrored, the edge pixel not repeated: c b | a b c.</summary>
    Reflect,

    /// <summary>The edge pixel continued: a a | a b c.</summary>
    Replicate,

    /// <summary>Zero.</summary>
    Zero,

    /// <summary>
    /// Nothing is assumed: only pixels whose whole surroundings are known are measured, so that the measurement is smaller than the
    /// picture.
    /// </summary>
    Valid,
}

/// <summary>Where pixels beyond the edges come from, in one direction.</summary>
internal static class BoundaryIndex
{
    /// <summary>The pixels that positions first .. first + count - 1 of a row of <paramref name="n"/> pixels repeat; -1 = zero.</summary>
    public static long[] Of(Boundary boundary, int first, int count, int n)
    {
        long[] index = new long[count];
        for (int i = 0; i < count; i++)
        {
            int p = first + i;
            index[i] = boundary switch
            {
                _ when p >= 0 && p < n => p,
                Boundary.Symmetric => Mirror(p, n),
                Boundary.Circular => Modulo(p, n),
                Boundary.Reflect => n == 1 ? 0 : Math.Min(Modulo(p, 2 * n - 2), 2 * n - 2 - Modulo(p, 2 * n - 2)),
                Boundary.Replicate => Math.Clamp(p, 0, n - 1),
                Boundary.Zero => -1,
                _ => throw new InvalidOperationException($"Position {p} lies outside of 0..{n - 1}."),
            };
        }
        return index;
    }

    private static int Mirror(int p, int n)
    {
        int r = Modulo(p, 2 * n);
        return r < n ? r : 2 * n - 1 - r;
    }

    private static int Modulo(int p, int n) => (p % n + n) % n;
}
