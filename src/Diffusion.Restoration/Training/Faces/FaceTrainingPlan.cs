using Diffusion.Faces;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Everything that <see cref="FaceTrainingRun"/> needs.</summary>
public sealed record FaceTrainingPlan
{
    /// <summary>Aligned faces to train on.</summary>
    public required IReadOnlyList<string> Faces { get; init; }

    /// <summary>Faces that are only looked at for validation.</summary>
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>Where state, loss curve, validation and the model are kept.</summary>
    public required string Folder { get; init; }

    /// <summary>When it ends.</summary>
    public required TrainingBudget Budget { get; init; }

    /// <summary>Name of the model.</summary>
    public string Name { get; init; } = "face-small";

    /// <summary>The small network.</summary>
    public FaceUNetConfig Architecture { get; init; } = new() { PlacedTokens = true };

    /// <summary>A folder with OSDFace's files, whose updates are trained instead of the small network; null: that.</summary>
    public string? Bundle { get; init; }

    /// <summary>Side of the faces for <see cref="Bundle"/>.</summary>
    public int BundleSide { get; init; } = FaceTemplate.Size;

    /// <summary>Makes the restorer; the caller disposes it.</summary>
    internal IFaceLearner Learner(ComputePolicy policy) =>
        Bundle is { } folder ? OsdFaceLearner.Open(folder, policy, BundleSide) : new FaceUNetLearner(Architecture, policy);

    /// <summary>Weights that a new run starts from, as far as they fit the network; null: random ones.</summary>
    public string? Start { get; init; }

    /// <summary>Steps that teach the embedder alone before everything else; 0: it learns beside the UNet.</summary>
    public long EmbedderSteps { get; init; }

    /// <summary>What is made small.</summary>
    public FaceLoss Loss { get; init; } = new();

    /// <summary>Makes the loss's eyes; null: the descriptor that ships.</summary>
    public Func<IFacePerception>? Perception { get; init; }

    /// <summary>Rate of the trunk.</summary>
    public double Rate { get; init; } = 5e-4;

    /// <summary>Steps of warm-up.</summary>
    public long WarmupSteps { get; init; } = 100;

    /// <summary>How to train; the first of its batches says how many faces make a step.</summary>
    public TrainingSettings Settings { get; init; } = new() { Batches = [new CropBatch(256, 4, 1)], ClipNorm = 5 };

    /// <summary>Time between saved states.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>Time between validations.</summary>
    public TimeSpan ValidateEvery { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The command line, for the card.</summary>
    public string? Command { get; init; }
}
