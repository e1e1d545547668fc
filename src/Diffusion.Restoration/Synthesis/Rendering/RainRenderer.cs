namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Falling rain: drops of exponentially distributed diameter (Marshall and Palmer 1948) in a volume before the camera fall at
/// v = 9.65 - 10.3 exp(-0.6 D) m/s (Atlas, Srivastava and Sekhon 1973) and draw streaks of length v T f/z and width D f/z during the
/// exposure T. A streak covers a pixel for the fraction D/(v T) of it, and is speckled by the drop's oscillation (Garg and Nayar 2006,
/// "Photorealistic rendering of rain streaks"; 2007, "Vision and rain").
/// </summary>
internal sealed class RainRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.Rain;

    /// <summary>Nearest and farthest distance in metres and number of drops of each layer.</summary>
    private static readonly (double Near, double Far, int Count)[] Depths = [(0.9, 2.2, 70), (2.2, 5, 900), (5, 14, 6000)];

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth)
    {
        double exposure = draws.LogUniform(0.01, 0.035),
            wind = 0.22 * draws.Normal(),
            gust = draws.Uniform(0.015, 0.06),
            focal = draws.Uniform(1.1, 1.6);
        float[][] layers = new float[Depths.Length][];
        for (int k = 0; k < layers.Length; k++)
        {
            layers[k] = new float[clean.Area];
            for (int n = 0; n < Depths[k].Count; n++)
                Fall(layers[k], clean, draws, Depths[k], exposure, wind + gust * draws.Normal(), focal);
        }
        float[] veil = Veil(clean, depth, draws);
        return new ParticleLayers(clean, layers, veil, 0.08, (ParticleLayers.SkyOf(clean, draws.Uniform(0.86, 0.97)), 0.75f));
    }

    /// <summary>Rain hides the distance.</summary>
    internal static float[] Veil(Canvas clean, float[]? depth, SampleDraws draws)
    {
        float[] veil = [.. depth ?? DepthProxy.Estimate(clean, clean.Luma(), 0.6)],
            banks = Turbulence.Draw(clean.Height, clean.Width, draws, 0.8, 0.15);
        for (int i = 0; i < veil.Length; i++)
            veil[i] = (0.35f + veil[i]) * banks[i];
        float mean = veil.Average();
        return [.. veil.Select(v => v / mean)];
    }

    private static void Fall(
        float[] layer,
        Canvas clean,
        SampleDraws draws,
        (double Near, double Far, int Count) depth,
        double exposure,
        double slope,
        double focal
    )
    {
        const double Smallest = 0.8,
            MeanAbove = 0.7,
            Largest = 5;
        double diameter = Math.Min(Largest, Smallest - MeanAbove * Math.Log(1 - draws.Uniform())),
            speed = 9.65 - 10.3 * Math.Exp(-0.6 * diameter);
        // Uniform in the volume seen: the density grows with the square of the distance.
        double u = draws.Uniform(),
            z = Math.Cbrt(Math.Pow(depth.Near, 3) + u * (Math.Pow(depth.Far, 3) - Math.Pow(depth.Near, 3)));
        double scale = focal * clean.Unit / z,
            length = speed * exposure * scale,
            width = diameter * 1e-3 * scale,
            cover = Math.Min(1, 26 * diameter * 1e-3 / (speed * exposure)) * draws.LogUniform(0.5, 1.6);
        // Near drops are out of focus: wider and fainter.
        double blur = 0.0011 * clean.Unit * Math.Max(0, 2.2 / z - 0.35);
        double sharp = Math.Max(width, 0.3 * clean.Unit / 512);
        double wide = Math.Sqrt(sharp * sharp + blur * blur);
        double density = 2.2 * cover * sharp / wide;
        double x = draws.Uniform(-0.3, 1.3) * clean.Width,
            y = draws.Uniform(-0.2, 1.2) * clean.Height;
        double wave = draws.Uniform(0, 2 * Math.PI),
            speckle = draws.Uniform(0, 0.35),
            turns = draws.Uniform(1.5, 4);
        double norm = Math.Sqrt(1 + slope * slope);
        Stroke stroke = new(x, y, slope / norm, 1 / norm, length, wide, density)
        {
            Profile = t => Math.Min(1, Math.Min(t, 1 - t) * 7) * (1 + speckle * Math.Sin(2 * Math.PI * turns * t + wave)),
        };
        stroke.Draw(layer, clean.Height, clean.Width);
    }
}
