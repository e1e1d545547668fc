namespace Diffusion.Imaging;

/// <summary>Separable resampling in the conventions of the restoration literature. Values are neither rounded nor clipped.</summary>
/// <remarks>
/// With scale s = out/in, output pixel i (from 1) samples the input at u = i/s + (1 - 1/s)/2. When s &lt; 1 and <c>antialias</c>, the
/// kernel k(d) becomes s k(s d).
/// Taps are computed in float64 and applied in the picture's dtype. 8-bit Pillow resampling: <see cref="PillowResize"/>.
/// </remarks>
public static class Resize
{
    private const int Rows = -2,
        Columns = -1;

    /// <summary>
    /// MATLAB's imresize by a factor, as KAIR and BasicSR compute it: bicubic (a = -0.5), mirrored edges, output size ceil(in * scale).
    /// </summary>
    /// <param name="x">[..,H,W] floating; borrowed.</param>
    /// <param name="numerator">The scale's numerator: 2 for twofold enlargement.</param>
    /// <param name="denominator">The scale's denominator: 4 for fourfold reduction.</param>
    /// <param name="antialias">Widen the kernel when reducing.</param>
    /// <returns>[..,h,w]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No floating-point pictures, or a scale that is not positive.</exception>
    public static Tensor Matlab(Tensor x, int numerator, int denominator = 1, bool antialias = true)
    {
        CheckPicture(x);
        if (numerator < 1 || denominator < 1)
            throw new ArgumentException($"A scale must be positive, not {numerator}/{denominator}.");
        double scale = (double)numerator / denominator;
        return Both(
            x,
            MatlabTaps(Side(x, Rows), Scaled(Side(x, Rows), numerator, denominator), scale, antialias: antialias),
            MatlabTaps(Side(x, Columns), Scaled(Side(x, Columns), numerator, denominator), scale, antialias: antialias)
        );
    }

    /// <summary>MATLAB's imresize to a size; each direction has its own scale out/in.</summary>
    /// <param name="x">[..,H,W] floating; borrowed.</param>
    /// <param name="height">Output height.</param>
    /// <param name="width">Output width.</param>
    /// <param name="kernel">Null: bicubic.</param>
    /// <param name="antialias">Widen the kernel when reducing.</param>
    /// <returns>[..,height,width]; the caller owns it.</returns>
    public static Tensor ToSize(Tensor x, int height, int width, ResampleKernel? kernel = null, bool antialias = true)
    {
        CheckPicture(x);
        CheckSize(height, width);
        return Both(
            x,
            MatlabTaps(Side(x, Rows), height, (double)height / Side(x, Rows), kernel, antialias),
            MatlabTaps(Side(x, Columns), width, (double)width / Side(x, Columns), kernel, antialias)
        );
    }

    /// <summary>
    /// The Resizer of RDMD, DPS and DiffPIR (A. Shocher) by a factor: as <see cref="Matlab"/>, but the output grid is centred when ceil()
    /// made it larger.
    /// </summary>
    /// <param name="x">[..,H,W] floating; borrowed.</param>
    /// <param name="scale">The factor of both directions.</param>
    /// <returns>[.., ceil(H scale), ceil(W scale)]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No floating-point pictures, or a scale that is not positive.</exception>
    public static Tensor Resizer(Tensor x, double scale)
    {
        CheckPicture(x);
        if (!(scale > 0 && double.IsFinite(scale)))
            throw new ArgumentException($"A scale must be positive, not {scale}.", nameof(scale));
        return Resizer(x, (int)Math.Ceiling(Side(x, Rows) * scale), (int)Math.Ceiling(Side(x, Columns) * scale), scale, scale);
    }

    /// <summary>The Resizer to a size; scales are out/in per direction, and both are antialiased when either is below 1.</summary>
    /// <param name="x">[..,H,W] floating; borrowed.</param>
    /// <param name="height">Output height.</param>
    /// <param name="width">Output width.</param>
    /// <returns>[..,height,width]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No floating-point pictures, or a size below 1.</exception>
    public static Tensor Resizer(Tensor x, int height, int width)
    {
        CheckPicture(x);
        CheckSize(height, width);
        return Resizer(x, height, width, (double)height / Side(x, Rows), (double)width / Side(x, Columns));
    }

    /// <summary>OpenCV's INTER_CUBIC: a = -0.75, no antialiasing, edges replicated, half-pixel centres.</summary>
    /// <param name="x">[..,H,W] floating; borrowed.</param>
    /// <param name="height">Output height.</param>
    /// <param name="width">Output width.</param>
    /// <param name="a">The cubic's coefficient.</param>
    /// <returns>[..,height,width]; the caller owns it.</returns>
    public static Tensor OpenCvCubic(Tensor x, int height, int width, double a = -0.75)
    {
        CheckPicture(x);
        CheckSize(height, width);
        return Both(x, OpenCvTaps(Side(x, Rows), height, a), OpenCvTaps(Side(x, Columns), width, a));
    }

    /// <summary>The taps of one direction in MATLAB's convention.</summary>
    /// <param name="inputs">Input length.</param>
    /// <param name="outputs">Output length.</param>
    /// <param name="scale">s; usually outputs/inputs, larger when the output length was rounded up.</param>
    /// <param name="kernel">Null: bicubic, a = -0.5.</param>
    /// <param name="antialias">Widen the kernel when <paramref name="scale"/> is below 1.</param>
    /// <param name="edges">Beyond the picture.</param>
    public static Taps MatlabTaps(
        int inputs,
        int outputs,
        double scale,
        ResampleKernel? kernel = null,
        bool antialias = true,
        EdgeMode edges = EdgeMode.Symmetric
    ) => GridTaps(inputs, outputs, scale, 0, kernel ?? ResampleKernel.Bicubic, antialias && scale < 1, edges);

    /// <summary>The taps of one direction in the Resizer's convention.</summary>
    /// <param name="inputs">Input length.</param>
    /// <param name="outputs">Output length.</param>
    /// <param name="scale">s.</param>
    /// <param name="antialias">
    /// Scale the kernel, whether s is below 1 or not: the Resizer does so in both directions when one of them is reduced.
    /// </param>
    /// <param name="a">The cubic's coefficient.</param>
    public static Taps ResizerTaps(int inputs, int outputs, double scale, bool antialias, double a = -0.5) =>
        GridTaps(inputs, outputs, scale, (outputs - inputs * scale) / 2, ResampleKernel.Cubic(a), antialias, EdgeMode.Symmetric);

    /// <summary>The taps of one direction in OpenCV's convention; the last weight is 1 minus the others.</summary>
    public static Taps OpenCvTaps(int inputs, int outputs, double a = -0.75)
    {
        ResampleKernel kernel = ResampleKernel.Cubic(a);
        double step = (double)inputs / outputs;
        return Taps.Build(inputs, outputs, 4, EdgeMode.Replicate, (o, weights) =>
        {
            double position = (o + 0.5) * step - 0.5,
                floor = Math.Floor(position),
                fraction = position - floor;
            for (int t = 0; t < 3; t++)
                weights[t] = kernel.Weight(fraction + 1 - t);
            weights[3] = 1 - weights[0] - weights[1] - weights[2];
            return (long)floor - 1;
        });
    }

    private static Taps GridTaps(int inputs, int outputs, double scale, double shift, ResampleKernel kernel, bool stretch, EdgeMode edges)
    {
        double width = 2 * kernel.Support / (stretch ? scale : 1);
        return Taps.Build(inputs, outputs, (int)Math.Ceiling(width) + 2, edges, (o, weights) =>
        {
            double u = (o + 1 - shift) / scale + 0.5 * (1 - 1 / scale),
                left = Math.Floor(u - width / 2),
                sum = 0;
            for (int t = 0; t < weights.Length; t++)
            {
                double distance = u - (left + t);
                sum += weights[t] = stretch ? scale * kernel.Weight(scale * distance) : kernel.Weight(distance);
            }
            if (sum != 0)
                foreach (ref double weight in weights)
                    weight /= sum;
            return (long)left - 1; // u counts from 1
        });
    }

    private static Tensor Resizer(Tensor x, int height, int width, double rowScale, double columnScale)
    {
        bool antialias = rowScale < 1 || columnScale < 1;
        Taps rows = ResizerTaps(Side(x, Rows), height, rowScale, antialias),
            columns = ResizerTaps(Side(x, Columns), width, columnScale, antialias);
        return Both(x, rows, columns, columnsFirst: columnScale < rowScale);
    }

    private static Tensor Both(Tensor x, Taps rows, Taps columns, bool columnsFirst = false)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor result = columnsFirst ? rows.Apply(columns.Apply(x, Columns), Rows) : columns.Apply(rows.Apply(x, Rows), Columns);
        return result.MoveToOuterDisposeScope();
    }

    private static int Side(Tensor x, int dim) => checked((int)x.shape[x.dim() + dim]);

    private static int Scaled(int side, int numerator, int denominator) =>
        checked((int)(((long)side * numerator + denominator - 1) / denominator));

    private static void CheckPicture(Tensor x)
    {
        if (x.dim() < 2 || x.numel() == 0 || !x.is_floating_point())
            throw new ArgumentException($"Resizing needs a floating tensor [..,H,W], not {Shapes.Describe(x)}.", nameof(x));
    }

    private static void CheckSize(int height, int width)
    {
        if (height < 1 || width < 1)
            throw new ArgumentException($"A picture cannot be resized to {width}x{height}.");
    }
}
