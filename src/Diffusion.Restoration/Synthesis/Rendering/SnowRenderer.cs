namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Falling snow: flakes of 3 to 11 mm at 0.7 to 1.6 m/s (Locatelli and Hobbs 1974) in a volume before the camera. A flake of size D at z
/// is D f/z large, drawn out by v T f/z during the exposure T and, out of focus, spread over the circle of confusion c |1/z - 1/z0|
/// (thin lens). Flakes are opaque and white: those smaller than a pixel cover a part of it.
/// </summary>
internal sealed class SnowRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.Snow;

    /// <summary>Nearest and farthest distance in metres and number of flakes of each layer.</summary>
    private static readonly (double Near, double Far, int Count)[] Depths =
    [
        (0.5, 1.3, 30),
        (1.3, 3.5, 420),
        (3.5, 9, 3600),
        (9, 24, 9000),
    ];

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth)
    {
        Air air = new(
            Exposure: draws.LogUniform(0.002, 0.02),
            Slope: 0.5 * draws.Normal(),
            Focal: draws.Uniform(1.1, 1.6),
            Aperture: draws.LogUniform(0.004, 0.012),
            Focus: draws.Uniform(4, 9)
        );
        float[][] layers = new float[Depths.Length][];
        for (int k = 0; k < layers.Length; k++)
        {
            layers[k] = new float[clean.Area];
            for (int n = 0; n < Depths[k].Count; n++)
                Fall(layers[k], clean, draws, Depths[k], air);
        }
        float[] veil = RainRenderer.Veil(clean, depth, draws);
        return new ParticleLayers(clean, layers, veil, 0.035, (ParticleLayers.SkyOf(clean, draws.Uniform(0.97, 1.03)), 0.9f));
    }

    private static void Fall(float[] layer, Canvas clean, SampleDraws draws, (double Near, double Far, int Count) depth, Air air)
    {
        double size = draws.LogUniform(0.003, 0.011),
            speed = draws.Uniform(0.7, 1.6);
        double u = draws.Uniform(),
            z = Math.Cbrt(Math.Pow(depth.Near, 3) + u * (Math.Pow(depth.Far, 3) - Math.Pow(depth.Near, 3)));
        double scale = air.Focal * clean.Unit / z,
            slope = air.Slope + 0.35 * draws.Normal();
        double norm = Math.Sqrt(1 + slope * slope);
        Flake flake = new(
            X: draws.Uniform(-0.1, 1.1) * clean.Width,
            Y: draws.Uniform(-0.1, 1.1) * clean.Height,
            DX: slope / norm,
            DY: 1 / norm,
            Radius: size * scale / 2,
            Length: speed * norm * air.Exposure * scale,
            Blur: air.Aperture * clean.Unit * Math.Abs(1 / z - 1 / air.Focus),
            Draws: (draws.Uniform(0, 2 * Math.PI), draws.Uniform(0, 2 * Math.PI), draws.Uniform(0.1, 0.35), draws.Uniform(1, 1.7))
        );
        flake.Draw(layer, clean.Height, clean.Width);
    }

    private readonly record struct Air(double Exposure, double Slope, double Focal, double Aperture, double Focus);

    /// <summary>A ragged clump, drawn out and blurred.</summary>
    private readonly record struct Flake(
        double X,
        double Y,
        double DX,
        double DY,
        double Radius,
        double Length,
        double Blur,
        (double First, double Second, double Ragged, double Aspect) Draws
    )
    {
        public void Draw(float[] layer, int height, int width)
        {
            // A clump of the same area: out of focus and in motion it is larger and thinner.
            double still = Math.Sqrt(Radius * Radius + Blur * Blur),
                reach = Math.Max(0.9, still),
                edge = Math.Clamp((0.35 * Radius + 0.22 * Blur + 0.8) / reach, 0.2, 1.2);
            double area = Radius * Radius,
                shown = reach * reach + 2 * reach * Length / Math.PI;
            double density = 2.6 * area / shown + 0.5 * Math.Min(1, area / shown);
            double far = reach * 1.5 + Length / 2 + 1;
            int top = Math.Max(0, (int)(Y - far)),
                bottom = Math.Min(height - 1, (int)(Y + far) + 1),
                left = Math.Max(0, (int)(X - far)),
                right = Math.Min(width - 1, (int)(X + far) + 1);
            // Blur rounds the outline.
            double ragged = Draws.Ragged * Radius / still;
            for (int row = top; row <= bottom; row++)
            {
                for (int column = left; column <= right; column++)
                {
                    double dx = column - X,
                        dy = row - Y,
                        along = dx * DX + dy * DY,
                        across = dx * DY - dy * DX;
                    along = Math.Sign(along) * Math.Max(0, Math.Abs(along) - Length / 2);
                    double distance = Math.Sqrt(along * along + across * across * Aspect(ragged)) / reach;
                    if (distance > 1.5)
                        continue;
                    double angle = Math.Atan2(across, along),
                        outline = 1 + ragged * (0.6 * Math.Sin(2 * angle + Draws.First) + 0.4 * Math.Sin(5 * angle + Draws.Second));
                    double inside = Math.Clamp((1 + edge / 2 - distance / outline) / edge, 0, 1);
                    layer[row * width + column] += (float)(density * inside * inside * (3 - 2 * inside));
                }
            }
        }

        private double Aspect(double ragged) => 1 + (Draws.Aspect - 1) * Math.Min(1, 3 * ragged);
    }
}
