namespace Diffusion.Synthesis.Rendering;

/// <summary>Smooth random structure of several sizes: value noise in octaves (Perlin 1985), for banks of fog and uneven light.</summary>
internal static class Turbulence
{
    private const int Octaves = 4;

    /// <summary>Draws around 1.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="draws">Where it comes from.</param>
    /// <param name="size">Size of the largest structure in units of the picture.</param>
    /// <param name="amplitude">Its deviation from 1; smaller structures have half of it each.</param>
    /// <returns>[H x W], at least 0.05.</returns>
    public static float[] Draw(int height, int width, SampleDraws draws, double size, double amplitude)
    {
        const int Side = 32;
        float[] result = new float[height * width];
        Array.Fill(result, 1f);
        double unit = Math.Sqrt((double)height * width);
        for (int octave = 0; octave < Octaves; octave++)
        {
            double[] lattice = new double[Side * Side];
            for (int i = 0; i < lattice.Length; i++)
                lattice[i] = draws.Uniform(-1, 1);
            double cell = size * unit / (1 << octave),
                scale = amplitude / (1 << octave);
            for (int y = 0; y < height; y++)
            {
                // Fog lies in layers: wider than high.
                double v = y / cell * 1.6;
                int j = (int)v;
                double fv = Smooth(v - j);
                for (int x = 0; x < width; x++)
                {
                    double u = x / cell;
                    int i = (int)u;
                    double fu = Smooth(u - i);
                    double top = At(lattice, i, j) + fu * (At(lattice, i + 1, j) - At(lattice, i, j)),
                        bottom = At(lattice, i, j + 1) + fu * (At(lattice, i + 1, j + 1) - At(lattice, i, j + 1));
                    result[y * width + x] += (float)(scale * (top + fv * (bottom - top)));
                }
            }
        }
        for (int i = 0; i < result.Length; i++)
            result[i] = MathF.Max(0.05f, result[i]);
        return result;

        static double At(double[] lattice, int i, int j) => lattice[j % Side * Side + i % Side];
        static double Smooth(double t) => t * t * (3 - 2 * t);
    }
}
