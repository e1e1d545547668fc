using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Kernels of a shaking hand: a smooth random trajectory during the exposure, drawn with bilinear weights.</summary>
internal static class CameraShake
{
    /// <summary>A kernel [size,size] with sum 1. The same seed gives the same kernel on every machine.</summary>
    public static Tensor Kernel(int size, ulong seed) => Kernel(size, Math.Max(0, (size - 1) / 2.0 - 1), seed);

    /// <summary>
    /// A kernel in the smallest odd square that holds a trajectory reaching so many pixels from its mean, squeezed across its main
    /// direction.
    /// </summary>
    public static Tensor Kernel(double reach, ulong seed, double narrow) =>
        Kernel(2 * (int)Math.Ceiling(reach + 1) + 1, reach, seed, narrow);

    private static Tensor Kernel(int size, double reach, ulong seed, double narrow = 1)
    {
        const int Steps = 500;
        (double[] x, double[] y) = Trajectory(Steps, seed);
        if (narrow < 1)
            Squeeze(x, y, narrow);
        // Centred on its mean and scaled so that it fills the kernel but for one pixel at each side.
        (double meanX, double meanY) = (x.Average(), y.Average());
        double drawn = Math.Max(x.Max(v => Math.Abs(v - meanX)), y.Max(v => Math.Abs(v - meanY)));
        double scale = drawn == 0 ? 0 : reach / drawn,
            centre = (size - 1) / 2.0;
        double[,] kernel = new double[size, size];
        for (int i = 0; i < Steps; i++)
        {
            (double u, double v) = (centre + scale * (x[i] - meanX), centre + scale * (y[i] - meanY));
            (int c, int r) = ((int)Math.Floor(u), (int)Math.Floor(v));
            for (int dr = 0; dr <= 1; dr++)
            {
                for (int dc = 0; dc <= 1; dc++)
                {
                    if (r + dr < size && c + dc < size)
                        kernel[r + dr, c + dc] += (1 - Math.Abs(v - r - dr)) * (1 - Math.Abs(u - c - dc));
                }
            }
        }
        return BlurKernels.Normalised(kernel);
    }

    private static void Squeeze(double[] x, double[] y, double narrow)
    {
        (double meanX, double meanY) = (x.Average(), y.Average());
        double xx = x.Sum(v => (v - meanX) * (v - meanX)),
            yy = y.Sum(v => (v - meanY) * (v - meanY)),
            xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        (double sin, double cos) = Math.SinCos(0.5 * Math.Atan2(2 * xy, xx - yy));
        for (int i = 0; i < x.Length; i++)
        {
            double across = narrow * ((y[i] - meanY) * cos - (x[i] - meanX) * sin),
                along = (x[i] - meanX) * cos + (y[i] - meanY) * sin;
            (x[i], y[i]) = (along * cos - across * sin, along * sin + across * cos);
        }
    }

    // A velocity that drifts, is pulled back to the middle and is jerked now and then (after Boracchi and Foi 2012).
    private static (double[] X, double[] Y) Trajectory(int steps, ulong seed)
    {
        const double Inertia = 0.97,
            Drift = 0.08,
            Pull = 0.002,
            Jerk = 0.01;
        using ComputeScope scope = new();
        using Tensor draws = new PhiloxNoise(seed, [ImageKey.FromName("camera shake")]).Draw(NoiseRole.Measurement, 1, steps, 3);
        float[] n = [.. draws.data<float>()];
        (double[] x, double[] y) = (new double[steps], new double[steps]);
        double px = 0,
            py = 0,
            vx = n[0],
            vy = n[1];
        for (int i = 0; i < steps; i++)
        {
            // A normal draw beyond 2.58 has the probability 0.01.
            bool jerked = Math.Abs(n[3 * i + 2]) > 2.5758 && Jerk > 0;
            vx = Inertia * vx + Drift * n[3 * i] - Pull * px - (jerked ? 2 * vx : 0);
            vy = Inertia * vy + Drift * n[3 * i + 1] - Pull * py - (jerked ? 2 * vy : 0);
            (x[i], y[i]) = (px += vx, py += vy);
        }
        return (x, y);
    }
}
