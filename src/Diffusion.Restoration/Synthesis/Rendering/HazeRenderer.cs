namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Haze and fog by atmospheric scattering: I = J t + A (1 - t), t = exp(-beta d) in linear light (Koschmieder 1924; Narasimhan and Nayar
/// 2002, "Vision and the atmosphere"). What is seen through much haze is blurred besides, by light that was scattered forward (Narasimhan
/// and Nayar 2003, "Shedding light on the weather"). The depth d is given, or <see cref="DepthProxy"/>.
/// </summary>
/// <remarks>
/// Strength: beta, from 0.02 to 9 per mean depth, in the logarithm. Contrast: the exponent of the depth, from 0 (a pane of even haze)
/// to 3 (only the far vanishes).
/// </remarks>
internal sealed class HazeRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.Haze;

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth) => new Scene(clean, draws, depth);

    private sealed class Scene : IScene
    {
        private const double Thinnest = 0.02,
            Thickest = 9,
            LargestExponent = 3;
        private readonly Canvas _linear,
            _scattered;
        private readonly float[] _depth,
            _banks,
            _air;

        public Scene(Canvas clean, SampleDraws draws, float[]? depth)
        {
            float[] luma = clean.Luma();
            // The haze is lit by what lights the scene: a dark picture has no white air.
            double bright = Canvas.Quantile(luma, 0.97),
                level = Math.Clamp(0.25 + 0.68 * bright, 0.35, 0.92) * draws.Uniform(0.92, 1.03);
            double warmth = draws.Uniform(-0.03, 0.02),
                green = draws.Uniform(-0.005, 0.005);
            _air = [Coded(level + warmth), Coded(level + green), Coded(level - warmth + 0.012)];
            _linear = clean.Map(ToneCurve.ToLinear.At);
            _scattered = new Canvas(clean.Height, clean.Width);
            for (int c = 0; c < 3; c++)
                _scattered.Planes[c] = Smoothing.Gaussian(_linear.Planes[c], clean.Height, clean.Width, 0.006 * clean.Unit);
            _depth = depth ?? DepthProxy.Estimate(clean, luma, draws.Uniform(0.45, 0.7));
            _banks = Turbulence.Draw(clean.Height, clean.Width, draws, 0.6, draws.Uniform(0.05, 0.35));
        }

        public Canvas Render(double strength, double contrast)
        {
            double beta = Thinnest * Math.Pow(Thickest / Thinnest, strength),
                exponent = LargestExponent * contrast;
            ToneCurve curve = new(d => Math.Pow(0.02 + 0.98 * d, exponent));
            float[] thickness = new float[_depth.Length];
            double mean = 0;
            for (int i = 0; i < thickness.Length; i++)
                mean += thickness[i] = curve.At(_depth[i]) * _banks[i];
            float scale = (float)(beta / Math.Max(1e-6, mean / thickness.Length));
            Canvas result = new(_linear.Height, _linear.Width);
            for (int i = 0; i < thickness.Length; i++)
            {
                float t = MathF.Exp(-scale * thickness[i]),
                    blurred = 0.7f * (1 - t);
                for (int c = 0; c < 3; c++)
                {
                    float sharp = _linear.Planes[c][i],
                        seen = sharp + blurred * (_scattered.Planes[c][i] - sharp);
                    result.Planes[c][i] = ToneCurve.ToSrgb.At(seen * t + _air[c] * (1 - t));
                }
            }
            return result;
        }

        private static float Coded(double level) => ToneCurve.ToLinear.At((float)level);
    }
}
