using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>
/// The noise of one picture, and how a solver, which knows Gaussian noise only, reckons with it: as one level; after a stabilisation of its
/// variance; or value by value.
/// </summary>
/// <remarks>
/// Where pixels are measured as they are, noise that grows with the signal is stabilised: the prior was trained on equal noise. On a
/// fluorescence picture of few photons that gave 39.5 dB, weights 36.8, one level for all 35.9 (dpir; mirror 39.1 and 39.9 of the first
/// two).
/// </remarks>
internal sealed record PictureNoise
{
    /// <summary>The noise; with a map its level.</summary>
    public required NoiseModel Model { get; init; }

    /// <summary>Whether it was estimated.</summary>
    public bool Estimated { get; init; }

    /// <summary>The file that says it value by value; null: none does.</summary>
    public NoiseMap? Map { get; init; }

    /// <summary>The mean standard deviation of the measured values, on [0,1].</summary>
    public required double Level { get; init; }

    /// <summary>The transform after which it is equal everywhere; null: none.</summary>
    public VarianceStabilization? Stabilization { get; init; }

    /// <summary>The level that the solver is told.</summary>
    public double Sigma => Stabilization?.Sigma ?? Level;

    /// <summary>Whether the solver weighs each value.</summary>
    public bool IsUneven => Map is not null || (Model.GrowsWithSignal && Stabilization is null);

    /// <summary>What is said of it where one number does not say it; null where it does.</summary>
    public string? Name =>
        Map is not null ? $"map:{Map.Name}"
        : Model.GrowsWithSignal ? Model.ToString()
        : null;

    /// <summary>Pictures with equal keys are solved together.</summary>
    public object Key => IsUneven ? this : Model;

    /// <summary>Noise of a picture.</summary>
    /// <param name="model">What is known of it, on [0,1].</param>
    /// <param name="estimated">Whether it was estimated.</param>
    /// <param name="a">The operator.</param>
    /// <param name="y">[1, Output]; borrowed.</param>
    /// <param name="name">The measurement.</param>
    /// <exception cref="DiffusionException">It grows with the signal, but what is measured are no counts.</exception>
    public static PictureNoise Of(NoiseModel model, bool estimated, LinearOperator a, Tensor y, string name)
    {
        // In the brightest pixel a thousandth more than in the dark.
        const double Negligible = 1e-3;
        if (model.Gain <= Negligible * model.Sigma * model.Sigma)
            return new()
            {
                Model = model with { Gain = 0 },
                Level = model.Sigma,
                Estimated = estimated,
            };
        if (!NoiseModel.MayCount(a))
            throw new DiffusionException(
                $"Noise that grows with the signal is that of counts, but the operator's values of \"{name}\" may be negative",
                null,
                "Pass --noise with a standard deviation, or --noise-map with one for each value"
            );
        using Tensor deviations = model.DeviationsOf(y, a);
        return new()
        {
            Model = model,
            Level = Mean(deviations, a),
            Estimated = estimated,
            Stabilization = VarianceStabilization.Suits(a) ? new(model) : null,
        };
    }

    /// <summary>Noise that a file says.</summary>
    /// <param name="map">The file.</param>
    /// <param name="deviations">[1, Output] on [0,1], of it; borrowed.</param>
    /// <param name="a">The operator.</param>
    public static PictureNoise Of(NoiseMap map, Tensor deviations, LinearOperator a)
    {
        double level = Mean(deviations, a);
        return new()
        {
            Model = new(level),
            Level = level,
            Map = map,
        };
    }

    private static double Mean(Tensor deviations, LinearOperator a)
    {
        using Tensor seen = a.Restrict(deviations);
        using Tensor sum = seen.sum(ScalarType.Float64);
        return sum.item<double>() / a.MeasurementCount;
    }
}
