using System.Diagnostics;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>What a restoration will do and cost.</summary>
/// <param name="Operator">The canonical spec.</param>
/// <param name="Picture">The restored picture.</param>
/// <param name="Noise">The noise level on [0,1].</param>
/// <param name="NoiseEstimated">Whether it was estimated.</param>
/// <param name="Solver">The solver's name.</param>
/// <param name="Evaluations">Network evaluations per sample.</param>
/// <param name="Tile">Side of the prior's tiles; null for whole pictures.</param>
/// <param name="Bytes">Memory of the process at its peak.</param>
/// <param name="Seconds">Time of the network's evaluations.</param>
public sealed record RestorePlan(
    string Operator,
    ImageShape Picture,
    double Noise,
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

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{Operator}, noise {Noise:0.####}{(NoiseEstimated ? " (estimated)" : "")}, {Picture.Height}x{Picture.Width} (height x "
                + $"width), {Solver}, {Evaluations} "
                + $"evaluations{(Areas > 1 ? $", {Areas} areas" : "")}{(Tile is { } side ? $", tiles of {side}" : "")}, about "
                + $"{Bytes / 1e9:0.0} GB and {Seconds:0.0} s"
        );
}

/// <summary>Times the prior.</summary>
internal static class EvaluationTime
{
    private const int Side = 128;

    /// <summary>
    /// Seconds per pixel of one evaluation, measured on a small picture: the second of two runs, since the first one prepares kernels.
    /// </summary>
    public static double PerPixel(IDenoiser prior, in Condition condition)
    {
        using ComputeScope scope = new();
        Tensor x = torch.zeros([1, prior.Info.Channels, Side, Side]);
        double sigma = Math.Sqrt(prior.Info.NoiseRange.Min * prior.Info.NoiseRange.Max);
        prior.Denoise(x, sigma, condition);
        long start = Stopwatch.GetTimestamp();
        prior.Denoise(x, sigma, condition);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / (Side * Side);
    }
}
