using Diffusion.Imaging;
using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>A restoration without a prior.</summary>
/// <param name="Name">What it is.</param>
/// <param name="X">[N,C,H,W] on [0,1]; the caller owns it.</param>
public sealed record Baseline(string Name, Tensor X);

/// <summary>The classical restorations that a prior has to beat.</summary>
public static class Baselines
{
    // eta is swept over ||A||^2 times 10^-6 .. 10^1.
    private const int SweepPoints = 29;

    /// <summary>
    /// The operator's own guess where that has a name, enlargement for downsampling, Tikhonov for everything with a blur or a transform,
    /// harmonic filling for masks.
    /// </summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise on [0,1].</param>
    /// <param name="reference">[N,C,H,W]: the best eta is then the one nearest to it; null: the discrepancy principle decides.</param>
    public static Baseline Classical(LinearOperator a, Tensor y, double sigma, Tensor? reference = null) =>
        a.Traits switch
        {
            { Classical: { } name } => new(name, a.Guess(y)),
            { Mask: true } => new("harmonic fill", HarmonicFill(a, y)),
            { Reduction: > 1 } when a.Output.IsImage && a.Output.Image.Channels == a.Input.Channels => new("bicubic", Bicubic(a, y)),
            _ => new("Tikhonov", Tikhonov(a, y, sigma, reference)),
        };

    /// <summary>
    /// The enlargement by the MATLAB-convention bicubic kernel, aligned with the reduction's grid: [N,C,h,w] to [N,C,H,W].
    /// </summary>
    /// <returns>The caller owns it.</returns>
    public static Tensor Bicubic(LinearOperator a, Tensor y) => Resize.ToSize(y, a.Input.Height, a.Input.Width);

    /// <summary>Missing pixels of [N,C,H,W] solve the Laplace equation; the caller owns the result.</summary>
    public static Tensor HarmonicFill(LinearOperator a, Tensor y) => WithMask(a, mask => Fill.Harmonic(y, mask));

    /// <summary>Missing pixels of [N,C,H,W] are the median of the known ones around them; the caller owns the result.</summary>
    public static Tensor MedianFill(LinearOperator a, Tensor y) => WithMask(a, mask => Fill.Median(y, mask));

    /// <summary>The damped pseudo-inverse A^T (A A^T + eta I)^-1 y with the best eta.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise on [0,1].</param>
    /// <param name="reference">
    /// With it: the eta of the smallest error. Without: the largest eta whose residual stays within the noise (Morozov's discrepancy
    /// principle).
    /// </param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor Tikhonov(LinearOperator a, Tensor y, double sigma, Tensor? reference = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // A constant is no detail: it is taken off first, so that damping does not darken the picture.
        Tensor mean = y.mean();
        Tensor one = a.Apply(torch.ones(a.Input.Batch(1), device: y.device));
        bool keepsConstants = a.Output.IsImage && one.std().item<float>() < 1e-3 && one.mean().item<float>() > 0.5;
        Tensor offset = keepsConstants ? mean / one.mean() : torch.zeros_like(mean);
        Tensor centred = y - offset * one;
        double target = sigma * sigma * a.MeasurementCount * y.shape[0],
            scale = a.NormSquared;
        (Tensor X, double Score)? best = null;
        for (int i = 0; i < SweepPoints; i++)
        {
            double eta = scale * Math.Pow(10, 1 - 7.0 * i / (SweepPoints - 1));
            Tensor x = a.PseudoInverse(centred, eta) + offset;
            double score = reference is null
                ? a.Restrict(a.Apply(x) - y).square().sum().item<float>()
                : (x.clamp(0, 1) - reference).square().sum().item<float>();
            if (best is null || score < best.Value.Score)
                best = (x, score);
            // Falling eta: the residual falls with it, the first one within the noise is the smoothest that fits.
            if (reference is null && score <= target)
                break;
        }
        return best!.Value.X.MoveToOuterDisposeScope();
    }

    /// <summary>The picture of least total variation with the best weight.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise on [0,1].</param>
    /// <param name="reference">
    /// [N,C,H,W]: the best weight is then the one that comes nearest to it; null: a fifth of the noise's standard deviation.
    /// </param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public static Tensor LeastVariation(LinearOperator a, Tensor y, double sigma, Tensor? reference = null)
    {
        if (reference is null)
            return TotalVariation.Restore(a, y, Math.Max(sigma / 5, 1e-3));
        using DisposeScope scope = torch.NewDisposeScope();
        return ((double[])[1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2])
            .Select(lambda => TotalVariation.Restore(a, y, lambda))
            .MinBy(x => (x.clamp(0, 1) - reference).square().sum().item<float>())!
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The iteration of Richardson (1972) and Lucy (1974), x &lt;- x A^T(y / A x) / A^T 1, from a flat picture: deconvolution for kernels
    /// without negative values.
    /// </summary>
    /// <param name="a">The operator; its matrix has no negative values.</param>
    /// <param name="y">[N, Output]; borrowed; values below 0 count as 0.</param>
    /// <param name="reference">
    /// [N,C,H,W]: the number of iterations up to <paramref name="iterations"/> is then the one that comes nearest to it; null: all of them.
    /// </param>
    /// <param name="iterations">The most iterations, 1 or more.</param>
    /// <returns>[N,C,H,W], not negative; the caller owns it.</returns>
    public static Tensor RichardsonLucy(LinearOperator a, Tensor y, Tensor? reference = null, int iterations = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        using DisposeScope scope = torch.NewDisposeScope();
        const double tiny = 1e-6;
        Tensor counts = y.clamp_min(0),
            weight = a.Adjoint(torch.ones_like(y)).clamp_min(tiny),
            x = torch.ones(a.Input.Batch((int)y.shape[0]), device: y.device) * counts.mean();
        (Tensor X, double Score)? best = null;
        for (int k = 0; k < iterations; k++)
        {
            x = (x * a.Adjoint(counts / a.Apply(x).clamp_min(tiny)) / weight).clamp_min(0);
            double score = reference is null ? -k : (x.clamp(0, 1) - reference).square().sum().item<float>();
            if (best is null || score < best.Value.Score)
                best = (x, score);
        }
        return best!.Value.X.MoveToOuterDisposeScope();
    }

    private static Tensor WithMask(LinearOperator a, Func<Tensor, Tensor> fill)
    {
        using Tensor one = torch.ones(a.Input.Batch(1));
        using Tensor mask = a.Apply(one);
        return fill(mask);
    }
}
