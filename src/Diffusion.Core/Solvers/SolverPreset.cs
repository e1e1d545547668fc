using Diffusion.Inverse;
using Diffusion.Priors;

namespace Diffusion.Solvers;

/// <summary>What a preset may look at.</summary>
/// <param name="Traits">The operator's structure.</param>
/// <param name="Sigma">Standard deviation of the measurement noise on the [0,1] scale.</param>
/// <param name="Prior">What is known about the prior.</param>
/// <param name="MaxEvaluations">At most so many network evaluations per picture; null leaves the number to the preset.</param>
public sealed record PresetRequest(OperatorTraits Traits, double Sigma, PriorInfo Prior, int? MaxEvaluations = null);

/// <summary>Named settings of a solver, as a function of the problem.</summary>
/// <param name="Name">Name in commands: <c>few-step</c>, <c>paper</c>.</param>
/// <param name="About">One sentence: what it is for.</param>
/// <param name="Source">Where the numbers come from; null for the project's own.</param>
/// <param name="Create">Makes a new solver with these settings.</param>
public sealed record SolverPreset(string Name, string About, string? Source, Func<PresetRequest, ISolver> Create);

/// <summary>The presets of one solver; the first one is the default.</summary>
public interface ISolverPresets
{
    /// <summary>The presets, the default one first.</summary>
    IReadOnlyList<SolverPreset> All { get; }
}
