using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>How restorations are run, whatever restores.</summary>
public record RunOptions
{
    /// <summary>How the measurement's file is read; a measurement that is at hand has been read already.</summary>
    public MeasurementOptions Reading { get; init; } = MeasurementOptions.Default;

    /// <summary>Seed of the random draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>Restorations per picture, by different draws of the noise.</summary>
    /// <exception cref="ArgumentException">Less than 1.</exception>
    public int Samples
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentException($"The number of samples must be at least 1, not {value}.");
    } = 1;

    /// <summary>Side of the network's tiles in pixels; null: whole pictures, or what <see cref="Memory"/> allows.</summary>
    public int? Tile { get; init; }

    /// <summary>A bound in bytes on the memory for a restoration; null: what is free.</summary>
    public long? Memory { get; init; }

    /// <summary>Device, number format, threads; null: the fastest that this machine promises.</summary>
    public ComputePolicy? Policy { get; init; }
}
