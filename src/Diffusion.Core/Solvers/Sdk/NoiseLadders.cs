namespace Diffusion.Solvers;

/// <summary>Falling noise levels.</summary>
public static class NoiseLadders
{
    /// <summary>
    /// n levels from <paramref name="start"/> to <paramref name="end"/>, equally spaced in the logarithm; with one level, the start.
    /// </summary>
    public static double[] Geometric(double start, double end, int n) =>
        [.. Enumerable.Range(0, n).Select(i => n == 1 ? start : start * Math.Pow(end / start, (double)i / (n - 1)))];

    /// <summary>Keeps levels inside what the prior was trained for.</summary>
    public static double[] Clamped(IEnumerable<double> sigmas, (double Min, double Max) range) =>
        [.. sigmas.Select(sigma => Math.Clamp(sigma, range.Min, range.Max))];
}
