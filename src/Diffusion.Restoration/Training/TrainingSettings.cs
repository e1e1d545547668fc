using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>How a prior is trained.</summary>
public sealed record TrainingSettings
{
    /// <summary>Seed of crops, noise levels and noise.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads, each with one graph of its own.</summary>
    public int Workers { get; init; } = Math.Min(16, Environment.ProcessorCount);

    /// <summary>The dtype of the convolutions and whether fused kernels run; masters and moments are float32 always.</summary>
    public ComputePolicy Policy { get; init; } = new();

    /// <summary>Crop sizes and crops of each a step.</summary>
    public IReadOnlyList<CropBatch> Batches { get; init; } = [new(64, 16, 0.2), new(96, 8, 0.25), new(128, 4, 0.35), new(192, 2, 0.2)];

    /// <summary>
    /// Parts that a step's crops are cut into; the threads take them from a queue. Part of the arithmetic: results depend on it (and so by
    /// default on the machine), but not on <see cref="Workers"/>.
    /// </summary>
    /// <remarks>
    /// As few as there are cores: the gradient of a convolution's weights costs less a crop the more crops it is computed from (2 instead
    /// of 4 on two cores: 13 to 24 % more crops a second).
    /// </remarks>
    public int Parts { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, 16);

    /// <summary>Whether the pictures have an upright (faces, rooms): crops are mirrored then, but not turned.</summary>
    public bool Upright { get; init; }

    /// <summary>Noise levels.</summary>
    public NoiseLevelSettings Levels { get; init; } = new();

    /// <summary>What is made small.</summary>
    public TrainingObjective Objective { get; init; } = new EpsilonObjective();

    /// <summary>The optimiser.</summary>
    public AdamW Optimizer { get; init; } = new();

    /// <summary>Gradients are scaled down to this norm.</summary>
    public double ClipNorm { get; init; } = 2;

    /// <summary>The short average.</summary>
    public Ema ShortAverage { get; init; } = new(200);

    /// <summary>The long average.</summary>
    public Ema LongAverage { get; init; } = new(1000);

    /// <summary>The crops of a step.</summary>
    internal CropBatch BatchOf(long step)
    {
        double at = new Draws(Seed, step, -1).Uniform() * Batches.Sum(b => b.Share);
        foreach (CropBatch batch in Batches)
        {
            if (at < batch.Share)
                return batch;
            at -= batch.Share;
        }
        return Batches[^1];
    }
}

/// <summary>One kind of step.</summary>
/// <param name="Size">Side length of the crops.</param>
/// <param name="Count">Crops a step.</param>
/// <param name="Share">Share of the steps.</param>
public sealed record CropBatch(int Size, int Count, double Share);
