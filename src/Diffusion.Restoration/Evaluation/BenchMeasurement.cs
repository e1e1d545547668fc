using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>A picture of a benchmark, measured: what baselines and solvers start from, and what their results are compared with.</summary>
internal sealed class BenchMeasurement : IDisposable
{
    private BenchMeasurement(OperatorSpec spec, LinearOperator a, double noise, Tensor clean, Measurement measured)
    {
        Spec = spec;
        A = a;
        Noise = noise;
        Clean = clean.DetachFromDisposeScope();
        Measured = measured;
    }

    /// <summary>The operator's spec.</summary>
    public OperatorSpec Spec { get; }

    /// <summary>The operator on the restored pictures. Owned.</summary>
    public LinearOperator A { get; }

    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public double Noise { get; }

    /// <summary>The original, [1,C,H,W] on [0,1].</summary>
    public Tensor Clean { get; }

    /// <summary>y.</summary>
    public Measurement Measured { get; }

    /// <summary>
    /// Measures a picture as <c>degrade</c> does: cropped on the right and below where the operator's sizes ask for it, noise by its seed
    /// and the picture's name, never clipped.
    /// </summary>
    /// <exception cref="DiffusionException">The picture does not fit the operator, or is too small for the margin.</exception>
    public static BenchMeasurement Of(Picture picture, OperatorSpec spec, BenchCell cell)
    {
        using ComputeScope scope = new();
        ImageShape whole = FittingSize.Of(spec, new ImageShape(picture.Channels, picture.Height, picture.Width));
        LinearOperator a = spec.Bind(whole);
        if (cell.Margin == 0)
        {
            Tensor uncut = Cut(picture.Pixels, 0, whole);
            return Noisy(picture, spec, a, uncut, a.Apply(uncut), cell);
        }
        using LinearOperator outer = a;
        return WithMargin(picture, spec, outer, whole, cell);
    }

    /// <summary>Measures the whole picture and keeps the middle of what local operators make of it. Others measure the middle.</summary>
    private static BenchMeasurement WithMargin(Picture picture, OperatorSpec spec, LinearOperator outer, ImageShape whole, BenchCell cell)
    {
        int factor = Math.Max(1, outer.Traits.Reduction),
            margin = (cell.Margin + factor - 1) / factor * factor;
        ImageShape middle = whole with { Height = whole.Height - 2 * margin, Width = whole.Width - 2 * margin };
        if (middle.Height < 1 || middle.Width < 1)
            throw new DiffusionException(
                $"A margin of {margin} leaves nothing of {whole.Height}x{whole.Width} pixels (height x width)",
                cell.Picture,
                "Use a smaller margin"
            );
        LinearOperator inner = spec.Bind(middle);
        Tensor clean = Cut(picture.Pixels, margin, middle);
        bool local =
            outer.Output.IsImage
            && inner.Output.IsImage
            && (outer.Traits.Blur || outer.Traits.Reduction > 1)
            && outer.Output.Image.Height - inner.Output.Image.Height == 2 * margin / factor;
        Tensor y = local ? Cut(outer.Apply(Cut(picture.Pixels, 0, whole)), margin / factor, inner.Output.Image) : inner.Apply(clean);
        return Noisy(picture, spec, inner, clean, y, cell);
    }

    private static BenchMeasurement Noisy(Picture picture, OperatorSpec spec, LinearOperator a, Tensor clean, Tensor y, BenchCell cell)
    {
        if (cell.Noise > 0)
            y =
                y
                + cell.Noise
                    * a.Restrict(new PhiloxNoise(cell.Seed, [ImageKey.FromName(picture.Name)]).Draw(NoiseRole.Measurement, y.shape));
        SideFile side = new()
        {
            Operator = spec.ToString(),
            Noise = cell.Noise,
            Seed = cell.Seed,
            InputSize = [a.Input.Channels, a.Input.Height, a.Input.Width],
            OutputSize = [.. a.Output.Dims],
        };
        return new(spec, a, cell.Noise, clean, new Measurement(y, picture.Name) { Side = side });
    }

    /// <summary>Compares a restoration with the original, on the values of 8-bit files.</summary>
    public (PictureMetrics Metrics, double? HighBand) Compare(Tensor x, int border)
    {
        double highBand = HighBandEnergy.Ratio(x, Clean, border);
        return (PictureMetrics.Compute(x, Clean, border), double.IsFinite(highBand) ? highBand : null);
    }

    /// <summary>LPIPS of a restoration, on the values of 8-bit files; null for pictures that are too small for its network.</summary>
    public double? Distance(Tensor x, Lpips? lpips)
    {
        const int LargestWindow = 31;
        if (lpips is null || Math.Min(Clean.shape[2], Clean.shape[3]) < LargestWindow)
            return null;
        using DisposeScope scope = torch.NewDisposeScope();
        return lpips.Distance((x.clamp(0, 1) * 255).round() / 255, Clean).item<float>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Measured.Dispose();
        Clean.Dispose();
        A.Dispose();
    }

    private static Tensor Cut(Tensor pixels, int margin, ImageShape shape) =>
        pixels.narrow(2, margin, shape.Height).narrow(3, margin, shape.Width).clone();
}
