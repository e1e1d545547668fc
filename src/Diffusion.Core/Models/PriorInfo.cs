namespace Diffusion.Models;

/// <summary>What a prior's output means.</summary>
public enum PriorKind
{
    /// <summary>The mean of x0 given x (diffusion models, denoisers).</summary>
    PosteriorMean,

    /// <summary>The end point of the probability-flow trajectory through x (consistency models).</summary>
    Consistency,
}

/// <summary>What is known about a prior.</summary>
public sealed record PriorInfo
{
    /// <summary>Short name: <c>photo</c>, or the file's name.</summary>
    public required string Name { get; init; }

    /// <summary>Posterior mean or consistency.</summary>
    public required PriorKind Kind { get; init; }

    /// <summary>Channels of its pictures: 3 or 1.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The network's stride; other sizes are padded by reflection and cropped back.</summary>
    public int SizeMultiple { get; init; } = 1;

    /// <summary>
    /// Side lengths that it was trained on; empty when unknown. Far beyond them (see <see cref="TilesBeyond"/>), pictures are computed in
    /// tiles.
    /// </summary>
    public IReadOnlyList<int> TrainedSizes { get; init; } = [];

    /// <summary>Side length beyond which pictures should be cut into tiles; null when any size is fine.</summary>
    public int? TilesBeyond { get; init; }

    /// <summary>Side length in pixels of the window that an output pixel depends on; null when it is the whole picture.</summary>
    public int? ReceptiveField { get; init; }

    /// <summary>The noise levels on [-1,1] that it was trained for. Solvers clamp their schedules to it.</summary>
    public (double Min, double Max) NoiseRange { get; init; } = (0.002, 80);

    /// <summary>
    /// Whether its pictures have no upright: trained on turned and flipped ones, so that solvers may turn them too (faces and rooms do have
    /// one).
    /// </summary>
    public bool AnyOrientation { get; init; }

    /// <summary>Number of classes; null when unconditional.</summary>
    public int? Classes { get; init; }

    /// <summary>The memory that one evaluation takes.</summary>
    public NetworkMemory Memory { get; init; } = NetworkMemory.Unknown;

    /// <summary>
    /// Sentences for the user: how the network was recognised, what was assumed, which of several sets of weights was taken.
    /// </summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
