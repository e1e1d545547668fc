namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Too little light, by the way back to the sensor and forth again (Brooks et al. 2019, "Unprocessing images for learned raw denoising"):
/// the tone curve 3x^2 - 2x^3 and sRGB's are inverted, the white balance taken back; there the light is dimmed, each photosite of an RGGB
/// sensor gets shot and read noise of variance lambda_s x + lambda_r, and 12 bits; then white balance, a little off as in the dark, and
/// both curves. The noise is interpolated over the mosaic, the picture itself stays sharp.
/// </summary>
/// <remarks>
/// Strength: the exposure, from 1 to 1/120, in the logarithm. Contrast: how uneven the light is, from a lifted even dark to a pool of
/// light in the night.
/// </remarks>
internal sealed class LowLightRenderer : IRenderer
{
    /// <inheritdoc/>
    public DegradationKind Kind => DegradationKind.LowLight;

    /// <inheritdoc/>
    public IScene Compose(Canvas clean, SampleDraws draws, float[]? depth) => new Scene(clean, draws);

    private sealed class Scene : IScene
    {
        private const double Dimmest = 1.0 / 120,
            SensorSteps = 4095;

        // The tone curve's inverse is y = 1/2 - sin(asin(1 - 2x)/3).
        private static readonly ToneCurve Develop = new(v =>
        {
            double coded = v <= 0.0031308 ? 12.92 * v : 1.055 * Math.Pow(v, 1 / 2.4) - 0.055;
            return coded * coded * (3 - 2 * coded);
        });
        private static readonly ToneCurve Undevelop = new(v =>
        {
            double coded = 0.5 - Math.Sin(Math.Asin(1 - 2 * v) / 3);
            return coded <= 0.04045 ? coded / 12.92 : Math.Pow((coded + 0.055) / 1.055, 2.4);
        });

        private readonly Canvas _raw;
        private readonly float[] _lamp,
            _noise;
        private readonly double _shot,
            _read;
        private readonly float[] _gains,
            _balance;

        public Scene(Canvas clean, SampleDraws draws)
        {
            _gains = [(float)draws.Uniform(1.9, 2.4), 1, (float)draws.Uniform(1.5, 1.9)];
            // Lamps are warm, and cameras trust them.
            _balance = [(float)draws.Uniform(0.97, 1.12), 1, (float)draws.Uniform(0.86, 1.04)];
            double log = Math.Log(draws.LogUniform(2e-4, 6e-3));
            (_shot, _read) = (Math.Exp(log), Math.Exp(2.18 * log + 1.2 + 0.26 * draws.Normal()));
            _raw = clean.Map(Undevelop.At);
            _lamp = Lamp(clean.Height, clean.Width, draws);
            for (int c = 0; c < 3; c++)
            for (int i = 0; i < clean.Area; i++)
                _raw.Planes[c][i] /= _gains[c];
            _noise = draws.Sensor(clean.Height, clean.Width);
        }

        public Canvas Render(double strength, double contrast)
        {
            double exposure = Math.Pow(Dimmest, strength);
            int height = _raw.Height,
                width = _raw.Width;
            float[] light = Light(exposure, contrast);
            float[] mosaic = Mosaic(light);
            Canvas result = new(height, width);
            for (int c = 0; c < 3; c++)
            {
                float gain = _gains[c] * _balance[c];
                for (int y = 0; y < height; y++)
                {
                    for (int x = 0; x < width; x++)
                    {
                        int i = y * width + x;
                        float value = _raw.Planes[c][i] * light[i] + Interpolate(mosaic, y, x, c);
                        result.Planes[c][i] = Develop.At(value * gain);
                    }
                }
            }
            return result;
        }

        /// <summary>The light that is left, pixel by pixel; its mean is the exposure.</summary>
        private float[] Light(double exposure, double contrast)
        {
            const double Sharpest = 4;
            ToneCurve falloff = new(v => Math.Pow(0.03 + 0.97 * v, Sharpest * contrast * contrast));
            float[] light = new float[_lamp.Length];
            double mean = 0;
            for (int i = 0; i < light.Length; i++)
                mean += light[i] = falloff.At(_lamp[i]);
            float scale = (float)(exposure * light.Length / mean);
            for (int i = 0; i < light.Length; i++)
                light[i] = MathF.Min(1, light[i] * scale);
            return light;
        }

        /// <summary>The noise of each photosite, in raw values.</summary>
        private float[] Mosaic(float[] light)
        {
            float[] noise = new float[light.Length];
            int width = _raw.Width;
            for (int i = 0; i < noise.Length; i++)
            {
                int c = Site(i / width, i % width);
                double x = _raw.Planes[c][i] * light[i],
                    read = x + _noise[i] * Math.Sqrt(_shot * x + _read);
                // The sensor counts in whole steps, from zero.
                noise[i] = (float)(Math.Max(0, Math.Floor(read * SensorSteps + 0.5)) / SensorSteps - x);
            }
            return noise;
        }

        private static int Site(int y, int x) => (y & 1) + (x & 1);

        /// <summary>Bilinear demosaicking of one channel at one pixel.</summary>
        private float Interpolate(float[] mosaic, int y, int x, int channel)
        {
            int height = _raw.Height,
                width = _raw.Width;
            float sum = 0,
                weights = 0;
            for (int dy = -1; dy <= 1; dy++)
            {
                for (int dx = -1; dx <= 1; dx++)
                {
                    int v = y + dy,
                        u = x + dx;
                    if (v < 0 || u < 0 || v >= height || u >= width || Site(v, u) != channel)
                        continue;
                    float weight = (2 - Math.Abs(dy)) * (2 - Math.Abs(dx));
                    // A green site counts alone where there is one.
                    if (channel == 1 && dy != 0 && dx != 0)
                        continue;
                    sum += weight * mosaic[v * width + u];
                    weights += weight;
                }
            }
            return weights > 0 ? sum / weights : 0;
        }

        /// <summary>Two pools of light and the dark around them, 0..1.</summary>
        private static float[] Lamp(int height, int width, SampleDraws draws)
        {
            double unit = Math.Sqrt((double)height * width);
            (double X, double Y, double Size, double Power)[] lamps =
            [
                (draws.Uniform(0.15, 0.85) * width, draws.Uniform(0.1, 0.7) * height, draws.Uniform(0.35, 0.6) * unit, 1),
                (
                    draws.Uniform(-0.1, 1.1) * width,
                    draws.Uniform(0, 0.9) * height,
                    draws.Uniform(0.2, 0.45) * unit,
                    draws.Uniform(0.3, 0.8)
                ),
            ];
            float[] uneven = Turbulence.Draw(height, width, draws, 0.5, 0.12),
                light = new float[height * width];
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    double sum = 0;
                    foreach ((double lx, double ly, double size, double power) in lamps)
                        sum += power / (1 + ((x - lx) * (x - lx) + (y - ly) * (y - ly)) / (size * size));
                    light[y * width + x] = (float)Math.Min(1, sum * uneven[y * width + x]);
                }
            }
            return light;
        }
    }
}
