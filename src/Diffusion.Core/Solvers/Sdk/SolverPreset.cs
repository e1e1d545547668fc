using Diffusion.Inverse;
using Diffusion.Models;

namespace Diffusion.Solvers;

/// <summary>What a preset may look at.</summary>
/// <param name="Traits">The operator's structure.</param>
/// <param name="Noise">Standard deviation of the measurement noise on the [0,1] scale.</param>
/// <param name="Prior">What is known about the prior.</param>
/// <param name="MaxEvaluations">At most so many network evaluations per picture; null leaves the number to the preset.</param>
/// <param name="MeasuredShare">Measured values per value of the picture: 0.2 where 80 % of the pixels are missing.</param>
public sealed record PresetRequest(
    OperatorTraits Traits,
    double Noise,
    PriorInfo Prior,
    int? MaxEvaluations = null,
    double MeasuredShare = 0.5
)
{
    /// <summary>Whether the measured values are unequally noisy.</summary>
    public bool Uneven { get; init; }

    /// <summary>The request of a problem.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="noise">Standard deviation of the measurement noise on the [0,1] scale.</param>
    /// <param name="prior">What is known about the prior.</param>
    /// <param name="maxEvaluations">At most so many network evaluations; null leaves it to the preset.</param>
    public static PresetRequest For(LinearOperator a, double noise, PriorInfo prior, int? maxEvaluations = null) =>
        new(a.Traits, noise, prior, maxEvaluations, (double)a.MeasurementCount / a.Input.Count);

    /// <summary>
    /// Evaluations that few-step presets spend: as many as are allowed; where nobody says how many 8, or 32 where what is missing is spread
    /// over the whole picture, so that each step can fill in only a little of it. Where nothing but colours is missing 2: they drift with
    /// each step.
    /// </summary>
    public int Evaluations =>
        MaxEvaluations
        ?? Traits switch
        {
            { ColorMissing: true, Local.Support: 1 } => 2,
            { Transform: true } => 32,
            _ => 8,
        };

    /// <summary>Whether the measured values are pixels of the picture: masks, mosaics, and pictures that only have noise.</summary>
    public bool MeasuresPixels => Traits.Mask || (Traits is { OrthonormalRows: true, Reduction: 1, Local.Support: 1 } && !Traits.Blur);
}

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
