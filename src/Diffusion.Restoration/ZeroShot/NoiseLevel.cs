using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Decides the noise level of a measurement: the user's word, the side file's, or an estimate.</summary>
internal static class NoiseLevel
{
    /// <summary>The standard deviation on [0,1].</summary>
    /// <exception cref="DiffusionException">Nobody says it, or it cannot be estimated for this operator.</exception>
    public static double Of(RestoreOptions options, Measurement measurement, LinearOperator a, Tensor y, out bool estimated)
    {
        estimated = options.Noise is { } given && double.IsNaN(given);
        if (estimated)
            return NoiseEstimate.From(y, a)?.Sigma
                ?? throw new DiffusionException(
                    $"The noise level of \"{measurement.Name}\" cannot be estimated: the measurement is a mosaic or no picture, or too "
                        + "little of one",
                    null,
                    "Pass --noise with its standard deviation on the [0,1] scale"
                );
        double sigma = (options.Noise is { } typed ? OnUnitScale(options, measurement, typed) : (double?)null)
            ?? measurement.Side?.Noise
            ?? throw new DiffusionException(
                $"The noise level of \"{measurement.Name}\" is not known",
                null,
                "Pass --noise with its standard deviation on the [0,1] scale, or --noise auto"
            );
        if (sigma >= 0 && double.IsFinite(sigma))
            return sigma;
        throw new ArgumentException(FormattableString.Invariant($"The noise level must be 0 or more, not {sigma}."));
    }

    /// <summary>A given level on [0,1].</summary>
    public static double OnUnitScale(RestoreOptions options, Measurement measurement, double given) =>
        given * (options.NoiseInFileUnits ? measurement.Unit : 1);
}
