using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>A picture of a benchmark, measured: what baselines and solvers start from, and what their results are compared with.</summary>
internal sealed class BenchMeasurement : IDisposable
{
    private readonly DegradedPicture _degraded;

    /// <summary>Measures a picture: cropped on the right and below where the operator's sizes ask for it, noise by its seed and the picture's name.</summary>
    /// <exception cref="DiffusionException">The picture does not fit the operator.</exception>
    public BenchMeasurement(Picture picture, OperatorSpec spec, double noise, ulong seed)
    {
        Spec = spec;
        Noise = noise;
        _degraded = new Degrader(spec, noise, seed) { CropToFit = true }.Degrade(picture);
        ImageShape shape = Measured.Clean!.Value;
        using ComputeScope scope = new();
        Clean = picture.Pixels.narrow(2, 0, shape.Height).narrow(3, 0, shape.Width).contiguous().clone().DetachFromDisposeScope();
    }

    /// <summary>The operator.</summary>
    public OperatorSpec Spec { get; }
    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public double Noise { get; }
    /// <summary>The original, [1,C,H,W] on [0,1].</summary>
    public Tensor Clean { get; }
    /// <summary>y.</summary>
    public Measurement Measured => _degraded.Measurement;

    /// <summary>Compares a restoration with the original, on the values of 8-bit files.</summary>
    public (PictureMetrics Metrics, double? HighBand) Compare(Tensor x, int border)
    {
        double highBand = HighBandEnergy.Ratio(x, Clean, border);
        return (PictureMetrics.Compute(x, Clean, border), double.IsFinite(highBand) ? highBand : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _degraded.Dispose();
        Clean.Dispose();
    }
}
