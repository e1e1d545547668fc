namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Drops on a pane before the lens: each is a small wide-angle lens that shows the scene upside down, what lies behind its rim dark by
/// Fresnel's law and total reflection, all of it out of focus because the camera looks through it (Roser and Geiger 2009, "Video-based
/// raindrop detection for improved image registration"; von Bernuth et al. 2018; the circle of confusion is the thin lens's).
/// </summary>
/// <remarks>
/// Strength: how thick the drops are, from small flat ones through which the scene is half seen to large lenses. Contrast: from many
/// drops over the whole pane to a few.
/// </remarks>
internal sealed class RaindropRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.Raindrop;

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth) => new Scene(clean, draws);

    private sealed class Scene : IScene
    {
        private const int Most = 300;
        private const double Fewest = 2;
        private readonly Canvas _linear,
            _around;
        private readonly int _shrunk;
        private readonly RefractingDrop[] _drops;
        private readonly double _blur;
        private readonly float[] _sky;

        public Scene(Canvas clean, SampleDraws draws)
        {
            _linear = clean.Map(ToneCurve.ToLinear.At);
            _around = _linear.Shrink(96);
            _shrunk = Math.Max(1, clean.Height / _around.Height);
            double defocus = draws.LogUniform(0.004, 0.011),
                largest = draws.LogUniform(0.035, 0.075);
            // What a drop shows is smaller than the scene, and blurred by as many times more.
            double spread = 0.6 * defocus * 0.42 / (0.6 * largest) * clean.Unit / _shrunk;
            for (int c = 0; c < 3; c++)
                _around.Planes[c] = Smoothing.Gaussian(_around.Planes[c], _around.Height, _around.Width, spread);
            _blur = defocus * clean.Unit;
            _sky = ParticleLayers.SkyOf(clean, 0.97);
            _drops = [.. Enumerable.Range(0, Most).Select(_ => RefractingDrop.Draw(clean, draws, largest))];
        }

        public Canvas Render(double strength, double contrast)
        {
            double count = Fewest * Math.Pow(Most / Fewest, 1 - contrast);
            double opacity = 0.4 + 0.6 * Math.Sqrt(strength),
                size = 0.5 + 0.9 * strength,
                bend = 0.5 + 0.6 * strength;
            Canvas light = new(_linear.Height, _linear.Width);
            for (int c = 0; c < 3; c++)
                _linear.Planes[c].CopyTo(light.Planes[c], 0);
            for (int k = 0; k < Math.Min(_drops.Length, count); k++)
            {
                // The last one is only coming: the dials turn without a jump.
                double part = Math.Min(1, count - k);
                (_drops[k] with { Radius = size * _drops[k].Radius }).Paint(light, _around, _shrunk, _sky, opacity * part, bend, _blur);
            }
            return light.Map(ToneCurve.ToSrgb.At);
        }
    }
}
