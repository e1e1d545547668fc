namespace Diffusion.Operators;

/// <summary>
/// Blur kernels, float64. [rows, columns]; angles count counter-clockwise from the horizontal, in degrees. Returned
/// tensors belong to the caller.
/// </summary>
public static class BlurKernels
{
    /// <summary>
    /// MATLAB's <c>fspecial('gaussian', size, sigma)</c>: exp(-(x^2+y^2)/(2 sigma^2)) about the middle, values below eps times the largest
    /// zeroed, sum 1.
    /// </summary>
    public static Tensor Gaussian(int size, double sigma) => Gaussian(size, size, sigma, sigma, 0);

    /// <summary>A Gaussian with standard deviations along and across a direction.</summary>
    public static Tensor Gaussian(int rows, int columns, double sigma, double sigmaAcross, double angle)
    {
        (double sin, double cos) = Math.SinCos(angle * Math.PI / 180);
        double[,] kernel = new double[rows, columns];
        double largest = 0,
            eps = double.BitIncrement(1) - 1;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                double x = j - (columns - 1) / 2.0,
                    y = (rows - 1) / 2.0 - i;
                double along = x * cos + y * sin,
                    across = y * cos - x * sin;
                kernel[i, j] = Math.Exp(-0.5 * (along * along / (sigma * sigma) + across * across / (sigmaAcross * sigmaAcross)));
                largest = Math.Max(largest, kernel[i, j]);
            }
        }
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
                kernel[i, j] = kernel[i, j] < eps * largest ? 0 : kernel[i, j];
        }
        return Normalised(kernel);
    }

    /// <summary>A square of equal weights.</summary>
    public static Tensor Average(int size) => torch.full([size, size], 1.0 / ((double)size * size), dtype: ScalarType.Float64);

    /// <summary>MATLAB's <c>fspecial('motion', length, angle)</c>: a line with linear anti-aliasing.</summary>
    public static Tensor Motion(double length, double angle)
    {
        const double Eps = 2.220446049250313e-16;
        length = Math.Max(1, length);
        double half = (length - 1) / 2,
            phi = (angle % 180 + 180) % 180 / 180 * Math.PI;
        (double sin, double cos) = (Math.Sin(phi), Math.Cos(phi));
        int sign = cos >= 0 ? 1 : -1;
        int sx = (int)(half * cos + sign - length * Eps),
            sy = (int)(half * sin + 1 - length * Eps);
        int columns = Math.Abs(sx) + 1,
            rows = sy + 1;
        double[,] quarter = new double[rows, columns];
        for (int y = 0; y < rows; y++)
        {
            for (int c = 0; c < columns; c++)
            {
                double x = c * sign,
                    d = y * cos - x * sin;
                if (Math.Sqrt(x * x + y * y) >= half && Math.Abs(d) <= 1)
                {
                    double beyond = half - Math.Abs((x + d * sin) / cos);
                    d = Math.Sqrt(d * d + beyond * beyond);
                }
                quarter[y, c] = Math.Max(0, 1 + Eps - Math.Abs(d));
            }
        }
        // The quarter and its half-turn, joined at the centre pixel.
        double[,] kernel = new double[2 * rows - 1, 2 * columns - 1];
        for (int y = 0; y < rows; y++)
        {
            for (int c = 0; c < columns; c++)
            {
                kernel[rows - 1 - y, columns - 1 - c] = quarter[y, c];
                kernel[rows - 1 + y, columns - 1 + c] = quarter[y, c];
            }
        }
        double sum = kernel.Cast<double>().Sum() + Eps * length * length;
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor result = torch.tensor(kernel) / sum;
        return (cos > 0 ? result.flip(0) : result).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>A disk (out-of-focus blur): the share of each pixel that lies inside the circle, by 16 x 16 points per pixel.</summary>
    public static Tensor Disk(double radius)
    {
        int reach = (int)Math.Ceiling(radius - 0.5),
            size = 2 * Math.Max(reach, 0) + 1;
        const int Points = 16;
        double[,] kernel = new double[size, size];
        for (int i = 0; i < size * Points; i++)
        {
            for (int j = 0; j < size * Points; j++)
            {
                double y = (i + 0.5) / Points - size / 2.0,
                    x = (j + 0.5) / Points - size / 2.0;
                if (x * x + y * y <= radius * radius)
                    kernel[i / Points, j / Points]++;
            }
        }
        if (radius < 0.1)
            kernel[size / 2, size / 2] = 1;
        return Normalised(kernel);
    }

    /// <summary>
    /// The trajectory of a shaking hand, its mean in the middle, in the smallest odd square that holds it. The same seed gives the same
    /// path at any reach.
    /// </summary>
    /// <param name="reach">How far it goes from its mean, in pixels; need not be whole.</param>
    /// <param name="seed">Which path.</param>
    /// <param name="narrow">By how much the path is squeezed across its main direction; 1 leaves it as it is.</param>
    public static Tensor CameraShake(double reach, ulong seed, double narrow = 1) => Operators.CameraShake.Kernel(reach, seed, narrow);

    internal static Tensor Normalised(double[,] kernel)
    {
        double sum = kernel.Cast<double>().Sum();
        using Tensor raw = torch.tensor(kernel);
        return sum == 0 ? raw.clone() : raw / sum;
    }
}
