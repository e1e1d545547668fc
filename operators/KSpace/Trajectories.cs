using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>The trajectories through frequency space that are measured.</summary>
public enum FourierLines
{
    /// <summary>Whole rows of frequencies, more densely in the middle, as a magnetic-resonance scanner reads them.</summary>
    Cartesian,

    /// <summary>Spokes through the origin, turned by the golden angle.</summary>
    Radial,
}

/// <summary>Simulated measurements: which frequencies an accelerated scan would visit.</summary>
internal static class Trajectories
{
    /// <summary>[height * width] in the order of numpy.fft.fft2.</summary>
    public static bool[] Of(Fourier spec, int height, int width) =>
        spec.Lines == FourierLines.Cartesian ? Rows(spec, height, width) : Spokes(spec, height, width);

    private static bool[] Rows(Fourier spec, int height, int width)
    {
        // Rows i and -i are measured together. Position 0 .. height/2 counts from the middle.
        int half = height / 2,
            wanted = Math.Max(1, (int)Math.Round(height / spec.Acceleration)),
            central = Math.Min(half + 1, (int)Math.Ceiling(spec.Center * height / 2));
        using Tensor order = Permutation.Random(half + 1, spec.Seed, 0);
        bool[] measured = new bool[(long)height * width];
        int rows = 0;
        foreach (int row in Enumerable.Range(0, Math.Max(central, 1)).Concat(order.data<long>().ToArray().Select(r => (int)r)))
        {
            if (measured[(long)row * width])
                continue;
            if (rows >= wanted && row >= central)
                break;
            foreach (int line in new[] { row, (height - row) % height }.Distinct())
            {
                Array.Fill(measured, true, line * width, width);
                rows++;
            }
        }
        return measured;
    }

    private static bool[] Spokes(Fourier spec, int height, int width)
    {
        bool[] measured = new bool[(long)height * width];
        using ComputeScope scope = new();
        double angle = new PhiloxNoise(spec.Seed, [ImageKey.FromName("spokes")]).Draw(NoiseRole.Measurement, 1, 1).item<float>() * Math.PI,
            golden = Math.PI * (Math.Sqrt(5) - 1) / 2;
        long count = 0,
            wanted = Math.Max(1, (long)(measured.LongLength / spec.Acceleration));
        double reach = Math.Sqrt((double)height * height + (double)width * width) / 2;
        for (int spoke = 0; count < wanted && spoke < 4 * (height + width); spoke++, angle += golden)
        {
            (double sin, double cos) = Math.SinCos(angle);
            for (double r = -reach; r <= reach; r += 0.5)
            {
                (int i, int j) = ((int)Math.Round(r * sin), (int)Math.Round(r * cos));
                if (2 * Math.Abs(i) > height || 2 * Math.Abs(j) > width)
                    continue;
                long k = (long)((i + height) % height) * width + (j + width) % width;
                if (!measured[k])
                    count++;
                measured[k] = true;
            }
        }
        measured[0] = true;
        return measured;
    }
}
