namespace Diffusion.Sampling;

/// <summary>Equally spaced numbers, rounded as numpy rounds them.</summary>
internal static class Spacing
{
    /// <summary><paramref name="count"/> numbers from <paramref name="start"/> to <paramref name="end"/>, both included.</summary>
    public static double[] Linear(double start, double end, int count)
    {
        double step = count > 1 ? (end - start) / (count - 1) : 0;
        double[] values = [.. Enumerable.Range(0, count).Select(i => i * step + start)];
        if (count > 1)
            values[^1] = end;
        return values;
    }

    /// <summary>Numbers whose logarithms are equally spaced.</summary>
    public static double[] Logarithmic(double start, double end, int count) =>
        [.. Linear(Math.Log10(start), Math.Log10(end), count).Select(exponent => Math.Pow(10, exponent))];
}
