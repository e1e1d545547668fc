namespace Diffusion.Operators;

/// <summary>Lengths that Fourier transforms are fast at.</summary>
internal static class FastLength
{
    /// <summary>The smallest number of at least <paramref name="n"/> with no prime factor above 5.</summary>
    public static long From(long n)
    {
        while (!IsFast(n))
            n++;
        return n;
    }

    private static bool IsFast(long n)
    {
        foreach (long prime in (long[])[2, 3, 5])
            while (n % prime == 0)
                n /= prime;
        return n == 1;
    }
}
