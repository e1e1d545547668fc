namespace Diffusion.Training;

/// <summary>Everything that <see cref="PairTrainingRun"/> needs.</summary>
public sealed record PairTrainingPlan
{
    /// <summary>What is learned.</summary>
    public required PairTask Task { get; init; }

    /// <summary>Pairs to train on.</summary>
    public required IReadOnlyList<PairFile> Pairs { get; init; }

    /// <summary>Pairs that are only looked at for validation.</summary>
    public IReadOnlyList<PairFile> Validation { get; init; } = [];

    /// <summary>Where state, loss curve, validation and the model are kept.</summary>
    public required string Folder { get; init; }

    /// <summary>When it ends.</summary>
    public required TrainingBudget Budget { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Rate of the trunk.</summary>
    public double Rate { get; init; } = 5e-4;

    /// <summary>Steps of warm-up.</summary>
    public long WarmupSteps { get; init; } = 200;

    /// <summary>How to train.</summary>
    public required TrainingSettings Settings { get; init; }

    /// <summary>Time between saved states.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>Time between validations.</summary>
    public TimeSpan ValidateEvery { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>The command line, for the card.</summary>
    public string? Command { get; init; }
}
