using System.Globalization;
using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>What a restoration will do and cost.</summary>
/// <param name="Operator">The canonical spec; null for methods that know no operator.</param>
/// <param name="Picture">The restored picture.</param>
/// <param name="Noise">The noise level on [0,1]; null for methods that need none.</param>
/// <param name="NoiseEstimated">Whether it was estimated.</param>
/// <param name="Solver">The name of the solver, or of what else restores.</param>
/// <param name="Evaluations">Network evaluations per sample.</param>
/// <param name="Tile">Side of the prior's tiles; null for whole pictures.</param>
/// <param name="Bytes">Memory of the process at its peak.</param>
/// <param name="Seconds">Time of the network's evaluations.</param>
public sealed record RestorePlan(
    string? Operator,
    ImageShape Picture,
    double? Noise,
    bool NoiseEstimated,
    string Solver,
    int Evaluations,
    int? Tile,
    long Bytes,
    double Seconds
)
{
    /// <summary>Number of areas in which a picture is restored that is too large for the memory; 1 for the whole.</summary>
    public int Areas { get; init; } = 1;

    /// <summary>The noise where one number does not say it; <see cref="Noise"/> is its mean then.</summary>
    public string? NoiseModel { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString()
    {
        string measured = Operator is null ? "" : $"{Operator}, ",
            noise = Noise is { } sigma
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"noise {(NoiseModel is null ? "" : $"{NoiseModel}, mean ")}{sigma:0.####}{(NoiseEstimated ? " (estimated)" : "")}, "
                )
                : "",
            parts = (Areas > 1 ? $", {Areas} areas" : "") + (Tile is { } side ? $", tiles of {side}" : "");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{measured}{noise}{Picture.Height}x{Picture.Width} (height x width), {Solver}, {Evaluations} evaluations{parts}, about "
                + $"{Bytes / 1e9:0.0} GB and {Seconds:0.0} s"
        );
    }
}
