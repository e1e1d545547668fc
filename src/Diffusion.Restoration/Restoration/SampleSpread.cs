namespace Diffusion.Restoration;

/// <summary>How the samples of a restoration differ, before clamping to [0,1].</summary>
/// <remarks>
/// It is the spread of a solver over its seeds. It is that of the posterior only where the solver draws posterior samples: PiGDM's preset
/// <c>posterior</c> does so for Gaussian pictures, few-step solvers do not.
/// </remarks>
public sealed class SampleSpread : IDisposable
{
    /// <summary>Number of samples, at least 2.</summary>
    public required int Count { get; init; }

    /// <summary>[1,C,H,W]: mean.</summary>
    public required Tensor Mean { get; init; }

    /// <summary>[1,C,H,W]: standard deviation, with N - 1.</summary>
    public required Tensor Deviation { get; init; }

    /// <summary>Compares spread and error with the original.</summary>
    /// <param name="clean">[1,C,H,W] on [0,1]; borrowed.</param>
    public SpreadReport Against(Tensor clean)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor error = (clean.cpu() - Mean).abs(),
            unit = Deviation * Math.Sqrt(1 + 1.0 / Count);
        double Within(double coverage) =>
            (error <= StudentQuantile(coverage, Count - 1) * unit).to(ScalarType.Float32).mean().item<float>();
        return new SpreadReport(
            Math.Sqrt(Deviation.square().mean().item<float>()),
            Math.Sqrt(error.square().mean().item<float>()),
            Within(0.68),
            Within(0.95)
        );
    }

    /// <summary>
    /// The half-width t with P(|T| &lt;= t) = coverage for Student's distribution: if the original is one more draw of the samples'
    /// Gaussian, (x - mean) / (s sqrt(1 + 1/N)) follows it with N - 1 degrees of freedom.
    /// </summary>
    /// <remarks>
    /// Exact for one and two degrees, else the expansion about the normal quantile (Abramowitz and Stegun 26.7.5), good to 1 %.
    /// </remarks>
    private static double StudentQuantile(double coverage, int degrees)
    {
        if (degrees == 1)
            return Math.Tan(Math.PI * coverage / 2);
        if (degrees == 2)
            return coverage * Math.Sqrt(2 / (1 - coverage * coverage));
        double z = coverage switch
            {
                0.68 => 0.994458,
                0.95 => 1.959964,
                _ => throw new ArgumentOutOfRangeException(nameof(coverage)),
            },
            v = degrees;
        return z
            + (Math.Pow(z, 3) + z) / (4 * v)
            + (5 * Math.Pow(z, 5) + 16 * Math.Pow(z, 3) + 3 * z) / (96 * v * v)
            + (3 * Math.Pow(z, 7) + 19 * Math.Pow(z, 5) + 17 * Math.Pow(z, 3) - 15 * z) / (384 * v * v * v);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        Deviation.Dispose();
    }
}

/// <summary>
/// Spread against error: calibrated samples have a spread like the error of their mean, and intervals that hold what they say.
/// </summary>
/// <param name="Spread">Root mean square of the standard deviation over pixels.</param>
/// <param name="Error">Root mean squared error of the samples' mean.</param>
/// <param name="Within68">Share of pixels whose original lies in the 68 % interval of a Gaussian through the samples.</param>
/// <param name="Within95">The same for 95 %.</param>
public sealed record SpreadReport(double Spread, double Error, double Within68, double Within95);
