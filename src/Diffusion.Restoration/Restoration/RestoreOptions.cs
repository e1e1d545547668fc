using Diffusion.Inverse;
using Diffusion.Networks;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>What <see cref="Restorer"/> does with a measurement.</summary>
public sealed record RestoreOptions : RunOptions
{
    /// <summary>
    /// The degradation: a spec, or its text, <c>downsample:factor=4</c>. null: the measurement's side file says it.
    /// </summary>
    public Degradation? Operator { get; init; }

    /// <summary>
    /// The measurement noise: a standard deviation on [0,1], or <see cref="NoiseModel"/>'s that grows with the signal. null: the side file
    /// says it; NaN, <see cref="NoiseModel.Auto"/> or <see cref="NoiseModel.AutoPoisson"/>: it is estimated.
    /// </summary>
    public NoiseModel? Noise { get; init; }

    /// <summary>
    /// A file with a standard deviation for each measured value, which takes the place of <see cref="Noise"/>: on [0,1], or in the numbers
    /// of the measurement's file where <see cref="MeasurementOptions.Range"/> is given. null: none.
    /// </summary>
    public string? NoiseMap { get; init; }

    /// <summary>Whether <see cref="Noise"/> is in the numbers of the measurement's file instead of on [0,1].</summary>
    public bool NoiseInFileUnits { get; init; }

    /// <summary><c>auto</c>, or a solver's name.</summary>
    public string Solver { get; init; } = SolverTable.Auto;

    /// <summary>A prior's name, or the path of a checkpoint.</summary>
    public string Prior { get; init; } = "photo";

    /// <summary>A preset of the solver; null for its default.</summary>
    public string? Preset { get; init; }

    /// <summary>At most so many network evaluations per picture; null: the preset decides.</summary>
    public int? Steps { get; init; }

    /// <summary>Single settings of the solver by name.</summary>
    public IReadOnlyDictionary<string, string>? Set { get; init; }

    /// <summary>The class of a class-conditional prior.</summary>
    public long? Label { get; init; }

    /// <summary>Resizes a mask file that does not fit the picture.</summary>
    public bool ResizeMask { get; init; }

    /// <summary>Crops pictures that the operator cannot take.</summary>
    public bool CropToFit { get; init; }

    /// <summary>Where operators are looked up; null: those that ship.</summary>
    public OperatorCatalog? Operators { get; init; }

    /// <summary>Where solvers are looked up; null: those that ship.</summary>
    public SolverCatalog? Solvers { get; init; }

    /// <summary>Where the families of priors' networks are looked up; null: those that ship.</summary>
    public NetworkCatalog? Networks { get; init; }
}
