namespace Diffusion.Synthesis.Rendering;

/// <summary>Wide blurs of a plane in time that does not depend on their width; the edge is repeated.</summary>
internal static class Smoothing
{
    /// <summary>Close to a Gaussian: three boxes (Wells 1986).</summary>
    public static float[] Gaussian(float[] plane, int height, int width, double sigma)
    {
        if (sigma < 0.3)
            return plane;
        // Three boxes of side 2r+1 have the variance r(r+1), in fractions of a pixel.
        double radius = Math.Sqrt(0.25 + sigma * sigma) - 0.5;
        float[] once = Box(plane, height, width, radius),
            twice = Box(once, height, width, radius);
        return Box(twice, height, width, radius);
    }

    /// <summary>The mean over a square of side 2r+1; of a fractional radius the outermost pixels count in part.</summary>
    public static float[] Box(float[] plane, int height, int width, double radius)
    {
        float[] rows = new float[plane.Length],
            result = new float[plane.Length];
        for (int y = 0; y < height; y++)
            Line(plane, rows, y * width, 1, width, radius);
        for (int x = 0; x < width; x++)
            Line(rows, result, x, width, height, radius);
        return result;
    }

    /// <summary>
    /// Blurs a plane while keeping the edges of another: the guided filter (He, Sun and Tang 2010).
    /// </summary>
    public static float[] Guided(float[] plane, float[] guide, int height, int width, double radius, float epsilon)
    {
        float[] Mean(float[] p) => Box(p, height, width, radius);
        float[] meanGuide = Mean(guide),
            meanPlane = Mean(plane),
            squares = Mean([.. guide.Select(v => v * v)]),
            products = Mean([.. guide.Zip(plane, (g, v) => g * v)]);
        float[] slope = new float[plane.Length],
            offset = new float[plane.Length];
        for (int i = 0; i < plane.Length; i++)
        {
            slope[i] = (products[i] - meanGuide[i] * meanPlane[i]) / (squares[i] - meanGuide[i] * meanGuide[i] + epsilon);
            offset[i] = meanPlane[i] - slope[i] * meanGuide[i];
        }
        (slope, offset) = (Mean(slope), Mean(offset));
        float[] result = new float[plane.Length];
        for (int i = 0; i < plane.Length; i++)
            result[i] = slope[i] * guide[i] + offset[i];
        return result;
    }

    private static void Line(float[] from, float[] to, int start, int step, int count, double radius)
    {
        int whole = (int)Math.Floor(radius);
        double part = radius - whole,
            weight = 1 / (2 * radius + 1);
        double At(int i) => from[start + Math.Clamp(i, 0, count - 1) * step];
        double sum = 0;
        for (int i = -whole; i <= whole; i++)
            sum += At(i);
        for (int i = 0; i < count; i++)
        {
            to[start + i * step] = (float)((sum + part * (At(i - whole - 1) + At(i + whole + 1))) * weight);
            sum += At(i + whole + 1) - At(i - whole);
        }
    }
}
