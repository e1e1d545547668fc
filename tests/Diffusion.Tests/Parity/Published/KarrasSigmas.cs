namespace Diffusion.Tests.Parity;

/// <summary>
/// Noise levels of Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022), and of multistep consistency
/// sampling (Song et al. 2023).
/// </summary>
internal static class KarrasSigmas
{
    /// <summary>sigma_k = (max^(1/rho) + k/(n-1) (min^(1/rho) - max^(1/rho)))^rho, k = 0..n-1, and a final 0.</summary>
    public static double[] Descending(int count, double min = 0.002, double max = 80, double rho = 7) =>
        [.. Enumerable.Range(0, count).Select(k => Level(k, count, min, max, rho)), 0];

    /// <summary>The levels at which a consistency model is called, and the standard deviation of the noise added after each call.</summary>
    /// <param name="indices">
    /// Indices into a ladder of <paramref name="count"/> levels, ascending; the last is only the level after the last call.
    /// </param>
    /// <param name="count">Number of levels of the ladder.</param>
    /// <param name="min">Lowest level.</param>
    /// <param name="max">Highest level.</param>
    /// <param name="rho">Curvature.</param>
    public static (double Sigma, double Noise)[] Multistep(
        IReadOnlyList<int> indices,
        int count,
        double min = 0.002,
        double max = 80,
        double rho = 7
    )
    {
        double NoiseTo(int next) =>
            Math.Sqrt(Math.Max(0, Math.Pow(Math.Clamp(Level(next, count, min, max, rho), min, max), 2) - min * min));
        return [.. indices.SkipLast(1).Select((index, i) => (Level(index, count, min, max, rho), NoiseTo(indices[i + 1])))];
    }

    private static double Level(int k, int count, double min, double max, double rho)
    {
        (double from, double to) = (Math.Pow(max, 1 / rho), Math.Pow(min, 1 / rho));
        return Math.Pow(from + (count > 1 ? k / (count - 1.0) : 0) * (to - from), rho);
    }
}
