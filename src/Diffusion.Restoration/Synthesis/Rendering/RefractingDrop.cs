namespace Diffusion.Synthesis.Rendering;

/// <summary>One drop on the pane: lobes that have run together, heavier below.</summary>
/// <param name="X">Its middle.</param>
/// <param name="Y">Its middle.</param>
/// <param name="Radius">In pixels.</param>
/// <param name="Sag">How much longer it is than wide.</param>
/// <param name="Outline">Amplitudes and phases of the outline's second to fourth harmonic.</param>
/// <param name="Gain">How bright it is beside the scene.</param>
internal sealed record RefractingDrop(
    double X,
    double Y,
    double Radius,
    double Sag,
    (double Amplitude, double Phase)[] Outline,
    double Gain
)
{
    /// <summary>Draws one; small ones are many.</summary>
    public static RefractingDrop Draw(Canvas clean, SampleDraws draws, double largest)
    {
        double x = draws.Uniform(-0.03, 1.03) * clean.Width,
            y = draws.Uniform(-0.03, 1.03) * clean.Height,
            u = draws.Uniform();
        double radius = largest * clean.Unit * (0.2 + 0.8 * Math.Pow(u, 3)),
            // Surface tension rounds small drops, gravity draws large ones out.
            heavy = radius / (0.05 * clean.Unit);
        return new(
            x,
            y,
            radius,
            1 + draws.Uniform(0.02, 0.3) * Math.Min(1.3, heavy),
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(k => (draws.Uniform(0, 0.16) * Math.Min(1, 0.4 + heavy) / (k + 1), draws.Uniform(0, 2 * Math.PI))),
            ],
            draws.Uniform(0.82, 1.15)
        );
    }

    /// <summary>Paints it into linear light.</summary>
    /// <param name="light">Where.</param>
    /// <param name="around">The scene as it is seen in a drop: small and blurred.</param>
    /// <param name="shrunk">How much smaller it is.</param>
    /// <param name="sky">The light from above the frame.</param>
    /// <param name="opacity">How much of the drop's own picture is seen.</param>
    /// <param name="bend">How far it looks around.</param>
    /// <param name="blur">Radius of the circle of confusion in pixels.</param>
    public void Paint(Canvas light, Canvas around, int shrunk, float[] sky, double opacity, double bend, double blur)
    {
        double reach = Radius * Sag * 1.35 + 2 * blur;
        int top = Math.Max(0, (int)(Y - reach)),
            bottom = Math.Min(light.Height - 1, (int)(Y + reach) + 1),
            left = Math.Max(0, (int)(X - reach)),
            right = Math.Min(light.Width - 1, (int)(X + reach) + 1);
        // A drop smaller than the circle of confusion is a faint disc.
        double edge = Math.Clamp(2 * blur / Radius, 0.2, 1.8),
            cover = opacity * Math.Min(1, Radius / (0.8 * blur));
        double field = 0.42 * bend * light.Unit;
        for (int row = top; row <= bottom; row++)
        {
            for (int column = left; column <= right; column++)
            {
                double dx = (column - X) / Radius,
                    dy = (row - Y) / (Radius * Sag);
                // Narrower above than below.
                dx *= 1 - 0.14 * Math.Clamp(dy, -1, 1) * (Sag - 1) * 3;
                double angle = Math.Atan2(dy, dx),
                    outline = 1;
                for (int k = 0; k < Outline.Length; k++)
                    outline += Outline[k].Amplitude * Math.Sin((k + 2) * angle + Outline[k].Phase);
                double rho = Math.Sqrt(dx * dx + dy * dy) / outline;
                double inside = Math.Clamp((1 + edge / 2 - rho) / edge, 0, 1);
                if (inside <= 0)
                    continue;
                double alpha = cover * inside * inside * (3 - 2 * inside);
                // Upside down, and wider towards the rim: the angle of a spherical cap's normal.
                double within = Math.Min(rho, 1),
                    turn = Math.Asin(0.96 * within) / 1.287 / Math.Max(within, 1e-3);
                double sx = X - dx * turn * field,
                    sy = Y - dy * turn * field;
                // Beyond the frame a drop sees the sky above and the ground below.
                double above = Math.Clamp(-sy / (0.3 * light.Height), 0, 0.8),
                    below = 1 - 0.5 * Math.Clamp(sy / light.Height - 1, 0, 0.8);
                // Fresnel's loss at the rim, more above, where the drop looks at the ground.
                double rim = Math.Pow(within, 4),
                    dim = Gain * (1 - rim * (0.4 + 0.25 * Math.Clamp(-dy, 0, 1)));
                int i = row * light.Width + column;
                for (int c = 0; c < 3; c++)
                {
                    double scene = below * Sample(around.Planes[c], around.Height, around.Width, sy / shrunk, sx / shrunk);
                    float seen = (float)(dim * (scene + above * Math.Max(0, sky[c] - scene)));
                    light.Planes[c][i] += (float)alpha * (seen - light.Planes[c][i]);
                }
            }
        }
    }

    // Bilinear; beyond the picture it is mirrored.
    private static double Sample(float[] plane, int height, int width, double y, double x)
    {
        y = Mirror(y - 0.5, height);
        x = Mirror(x - 0.5, width);
        int j = Math.Min((int)y, height - 2),
            i = Math.Min((int)x, width - 2);
        (j, i) = (Math.Max(0, j), Math.Max(0, i));
        double fy = y - j,
            fx = x - i;
        int below = Math.Min(j + 1, height - 1) * width,
            beside = Math.Min(i + 1, width - 1);
        double upper = plane[j * width + i] + fx * (plane[j * width + beside] - plane[j * width + i]),
            lower = plane[below + i] + fx * (plane[below + beside] - plane[below + i]);
        return upper + fy * (lower - upper);
    }

    private static double Mirror(double at, int count)
    {
        double last = Math.Max(1e-9, count - 1),
            period = 2 * last;
        at = Math.Abs(at) % period;
        return at > last ? period - at : at;
    }
}
