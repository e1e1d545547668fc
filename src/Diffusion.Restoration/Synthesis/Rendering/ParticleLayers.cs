namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// What particles in the air do to a picture: each layer covers a pixel with 1 - exp(-density), the densities of all that cross it added
/// up; behind them the distance pales by a veil. In linear light: I = (J (1 - v) + E v) (1 - a) + E a with the light E of the sky that
/// particles gather from almost everywhere (Garg and Nayar 2007, "Vision and rain").
/// </summary>
/// <remarks>
/// Strength: the optical density of everything, from 0.02 to 12, in the logarithm. Contrast: from a fine even fall with much veil to
/// few large particles with none.
/// </remarks>
internal sealed class ParticleLayers : IScene
{
    private const double Thinnest = 0.02,
        Thickest = 12,
        Spread = 5;
    private readonly Canvas _linear;
    private readonly float[] _veil;
    private readonly float[][] _layers;
    private readonly float[] _light;
    private readonly float[][] _around;
    private readonly double _veilDensity;

    /// <summary>A scene.</summary>
    /// <param name="clean">Coded values.</param>
    /// <param name="layers">Optical densities [H x W], the nearest (fewest and largest particles) first.</param>
    /// <param name="veil">Relative density of the veil, its mean 1.</param>
    /// <param name="veilDensity">How strong the veil is beside the particles.</param>
    /// <param name="light">Linear light of the sky, and how much of E it is; the rest is the light around a pixel.</param>
    public ParticleLayers(Canvas clean, float[][] layers, float[] veil, double veilDensity, (float[] Sky, float Part) light)
    {
        _linear = clean.Map(ToneCurve.ToLinear.At);
        (_layers, _veil, _veilDensity) = (layers, veil, veilDensity);
        _light = [.. light.Sky.Select(v => v * light.Part)];
        _around =
        [
            .. _linear.Planes.Select(plane =>
                Smoothing.Gaussian(plane, clean.Height, clean.Width, 0.12 * clean.Unit).Select(v => v * (1 - light.Part)).ToArray()
            ),
        ];
    }

    /// <summary>The brightest light of a picture, a little cold: what the sky sends.</summary>
    public static float[] SkyOf(Canvas clean, double level)
    {
        double bright = Math.Clamp(0.2 + 0.8 * Canvas.Quantile(clean.Luma(), 0.97), 0.3, 1) * level;
        return [Linear(bright - 0.008), Linear(bright), Linear(bright + 0.01)];

        static float Linear(double v) => ToneCurve.ToLinear.At((float)v);
    }

    /// <inheritdoc/>
    public Canvas Render(double strength, double contrast)
    {
        double density = Thinnest * Math.Pow(Thickest / Thinnest, strength);
        float[] weights = new float[_layers.Length];
        for (int k = 0; k < weights.Length; k++)
        {
            // From the far layers alone over all of them to the near ones alone.
            double at = weights.Length == 1 ? 0.5 : 1 - (double)k / (weights.Length - 1);
            weights[k] = (float)(density * Math.Exp(-Spread * Math.Abs(contrast - at)));
        }
        float veil = (float)(density * _veilDensity * Math.Pow(1 - contrast, 2));
        Canvas result = new(_linear.Height, _linear.Width);
        for (int i = 0; i < _veil.Length; i++)
        {
            float depth = 0;
            for (int k = 0; k < weights.Length; k++)
                depth += weights[k] * _layers[k][i];
            float through = MathF.Exp(-depth),
                clear = MathF.Exp(-veil * _veil[i]);
            for (int c = 0; c < 3; c++)
            {
                float gathered = _light[c] + _around[c][i],
                    behind = _linear.Planes[c][i] * clear + gathered * (1 - clear);
                result.Planes[c][i] = ToneCurve.ToSrgb.At(behind * through + gathered * (1 - through));
            }
        }
        return result;
    }
}
