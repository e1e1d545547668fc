using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>How exactly a solver's data steps are solved where they have no closed form: until either measure is met.</summary>
/// <param name="Relative"><see cref="SolvePrecision.Relative"/>.</param>
/// <param name="Share">An error that does not matter, as a share of the posterior's standard deviations.</param>
public readonly record struct StepPrecision(double Relative, double Share)
{
    /// <summary>What restorations use: on photographs the share costs at most 0.02 dB.</summary>
    public static StepPrecision Default { get; } = new(3e-3, 0.02);

    /// <summary>The same for a measurement with noise of a standard deviation.</summary>
    /// <param name="sigma">The noise, in the units of the measurement that is solved.</param>
    public SolvePrecision At(double sigma) => new(Relative, Share * sigma);
}
