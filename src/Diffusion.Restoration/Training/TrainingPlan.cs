using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>Everything that <see cref="TrainingRun"/> needs.</summary>
public sealed record TrainingPlan
{
    /// <summary>Photographs to train on.</summary>
    public required IReadOnlyList<string> Photos { get; init; }

    /// <summary>Photographs that are only looked at for validation.</summary>
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>Where state, loss curve, validation table and the prior are kept.</summary>
    public required string Folder { get; init; }

    /// <summary>When it ends.</summary>
    public required TrainingBudget Budget { get; init; }

    /// <summary>Name of the prior.</summary>
    public string Name { get; init; } = "prior";

    /// <summary>The network.</summary>
    public required AdmUNetConfig Architecture { get; init; }

    /// <summary>A prior to start from, of this architecture or with fewer residual blocks; null: random weights.</summary>
    public string? Start { get; init; }

    /// <summary>The schedule.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <summary>Rate of the trunk.</summary>
    public double Rate { get; init; } = 7e-4;

    /// <summary>Steps of warm-up.</summary>
    public long WarmupSteps { get; init; } = 500;

    /// <summary>How to train.</summary>
    public TrainingSettings Settings { get; init; } = new();

    /// <summary>Time between saved states.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>Time between validations.</summary>
    public TimeSpan ValidateEvery { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>The command line, for the card.</summary>
    public string? Command { get; init; }
}

/// <summary>A line of progress.</summary>
/// <param name="State">The run.</param>
/// <param name="Loss">Balanced loss.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="PixelsPerSecond">Speed.</param>
/// <param name="Left">Time left.</param>
public sealed record TrainingProgress(
    TrainingState State,
    double Loss,
    double GradientNorm,
    double Rate,
    double PixelsPerSecond,
    TimeSpan Left
);
