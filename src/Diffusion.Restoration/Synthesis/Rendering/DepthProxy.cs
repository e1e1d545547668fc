namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// A stand-in for depth where none is given: the ground recedes upwards, and what is bright and pale is far (the colour attenuation prior
/// of Zhu, Mai and Shao 2015: 0.1218 + 0.9597 v - 0.7802 s), smoothed within objects by a guided filter. It is no measurement: it is
/// plausible for landscapes and streets and arbitrary for close-ups.
/// </summary>
internal static class DepthProxy
{
    /// <summary>Estimates.</summary>
    /// <param name="clean">Coded values.</param>
    /// <param name="luma">Its luma.</param>
    /// <param name="ground">The ground's part, 0..1; the rest is the colour's.</param>
    /// <returns>[H x W], 0 near to 1 far.</returns>
    public static float[] Estimate(Canvas clean, float[] luma, double ground)
    {
        int height = clean.Height,
            width = clean.Width;
        float[] raw = new float[clean.Area];
        for (int y = 0; y < height; y++)
        {
            double up = 1 - (y + 0.5) / height,
                recession = up * up * (3 - 2 * up);
            for (int x = 0; x < width; x++)
            {
                int i = y * width + x;
                float r = clean.Planes[0][i],
                    g = clean.Planes[1][i],
                    b = clean.Planes[2][i];
                float v = MathF.Max(r, MathF.Max(g, b)),
                    s = v <= 0 ? 0 : (v - MathF.Min(r, MathF.Min(g, b))) / v;
                // A blue sky is pale to this prior only when its blue is not counted as saturation.
                float sky = b >= g && g >= r ? MathF.Min(1, 1.2f * b) : 0;
                double color = Math.Clamp(0.121779 + 0.959710 * v - 0.780245 * s * (1 - 0.8 * sky), 0, 1);
                raw[i] = (float)(ground * recession + (1 - ground) * color);
            }
        }
        float[] coarse = Smoothing.Box(raw, height, width, 0.012 * clean.Unit);
        float[] depth = Smoothing.Guided(coarse, luma, height, width, 0.05 * clean.Unit, 1e-3f);
        float low = Canvas.Quantile(depth, 0.01),
            high = MathF.Max(low + 0.05f, Canvas.Quantile(depth, 0.99));
        for (int i = 0; i < depth.Length; i++)
            depth[i] = Math.Clamp((depth[i] - low) / (high - low), 0, 1);
        return depth;
    }
}
