namespace Diffusion.Imaging;

/// <summary>A continuous interpolation kernel k(x), zero outside |x| &lt;= <see cref="Support"/>.</summary>
/// <param name="Support">Half the width, in samples.</param>
/// <param name="Weight">k.</param>
public sealed record ResampleKernel(double Support, Func<double, double> Weight)
{
    /// <summary>Keys' cubic with a = -0.5 (MATLAB, Pillow).</summary>
    public static ResampleKernel Bicubic { get; } = Cubic(-0.5);

    /// <summary>The triangle.</summary>
    public static ResampleKernel Bilinear { get; } = new(1, x => Math.Max(0, 1 - Math.Abs(x)));

    /// <summary>The box, half open so that it covers exactly as many samples as it is wide: -0.5 &lt;= x &lt; 0.5.</summary>
    public static ResampleKernel Box { get; } = new(0.5, x => x is >= -0.5 and < 0.5 ? 1 : 0);

    /// <summary>Lanczos with three lobes: sinc(x) sinc(x/3).</summary>
    public static ResampleKernel Lanczos { get; } = new(3, x => Math.Abs(x) < 3 ? Sinc(x) * Sinc(x / 3) : 0);

    /// <summary>Keys' cubic (1981) with slope <paramref name="a"/> at |x| = 1.</summary>
    public static ResampleKernel Cubic(double a) => new(2, x =>
        {
            double d = Math.Abs(x);
            return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1
                : d < 2 ? (((d - 5) * d + 8) * d - 4) * a
                : 0;
        });

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
