using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Decides the noise of a measurement: the user's word, the side file's, or an estimate.</summary>
internal static class NoiseLevel
{
    /// <summary>The noise on [0,1].</summary>
    /// <exception cref="DiffusionException">Nobody says it, or it cannot be estimated for this operator.</exception>
    public static (NoiseModel Model, bool Estimated) Of(RestoreOptions options, Measurement measurement, LinearOperator a, Tensor y)
    {
        if (options.Noise is { IsAuto: true } auto)
            return (auto.GrowsWithSignal ? PoissonEstimate.From(y, a) : NoiseEstimate.From(y, a)?.Sigma) is { } found
                ? (found, true)
                : throw new DiffusionException(
                    $"The noise level of \"{measurement.Name}\" cannot be estimated: the measurement is no picture, or too little "
                        + "of one",
                    null,
                    auto.GrowsWithSignal
                        ? "Pass --noise poisson:gain=G,read=R"
                        : "Pass --noise with its standard deviation on the [0,1] scale"
                );
        NoiseModel noise = (options.Noise is { } typed ? OnUnitScale(options, measurement, typed) : measurement.Side?.NoiseModel)
            ?? throw new DiffusionException(
                $"The noise level of \"{measurement.Name}\" is not known",
                null,
                "Pass --noise with its standard deviation on the [0,1] scale, or --noise auto"
            );
        if (noise is { Sigma: >= 0, Gain: >= 0 } && double.IsFinite(noise.Sigma) && double.IsFinite(noise.Gain))
            return (noise, false);
        throw new ArgumentException(FormattableString.Invariant($"The noise level must be 0 or more, not {noise}."));
    }

    /// <summary>A given noise on [0,1].</summary>
    public static NoiseModel OnUnitScale(RestoreOptions options, Measurement measurement, NoiseModel given) =>
        given * (options.NoiseInFileUnits ? measurement.Unit : 1);
}
