namespace Diffusion.Synthesis;

/// <summary>Makes degraded pictures from clean ones.</summary>
/// <remarks>
/// A sample is a function of the clean picture and the request alone: all randomness comes from one <c>PhiloxNoise</c> keyed by
/// <see cref="DegradationRequest.Seed"/> and <see cref="DegradationRequest.Key"/>, so that order, batch, threads and part don't matter.
/// </remarks>
public interface IDegradationGenerator : IDisposable
{
    /// <summary>What the manifest calls it.</summary>
    string Name { get; }

    /// <summary>What it can make.</summary>
    IReadOnlyList<DegradationKind> Kinds { get; }

    /// <summary>What stands beside the samples of a picture as its clean one: the picture itself, or what a preset makes of it.</summary>
    /// <param name="picture">[1,3,H,W] on [0,1], any size; borrowed.</param>
    /// <returns>[1,3,H',W'] on [0,1]; the caller owns it.</returns>
    Tensor Clean(Tensor picture) => picture.alias();

    /// <summary>Whether several threads may generate at once.</summary>
    bool IsConcurrent => false;

    /// <summary>Makes one sample.</summary>
    /// <param name="clean">[1,3,H,W] on [0,1], any size; borrowed.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>The degraded picture of the same size, and how far it is from the clean one; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The kind is none of <see cref="Kinds"/>, or the tensor is no colour picture.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    Synthesized Generate(Tensor clean, in DegradationRequest request, CancellationToken cancellation = default);
}

/// <summary>What is asked of a generator.</summary>
/// <param name="Kind">The degradation.</param>
/// <param name="Intensity">How strong it should be.</param>
/// <param name="Seed">The user's seed.</param>
/// <param name="Key">Names the sample: samples of other keys share no random number with it.</param>
public sealed record DegradationRequest(DegradationKind Kind, Intensity Intensity, ulong Seed, string Key)
{
    /// <summary>What the picture shows, in words, for generators that are told; null: not known.</summary>
    public string? Caption { get; init; }

    /// <summary>The data set whose intensities the asked one is drawn from; null: of none.</summary>
    public string? Dataset { get; init; }

    /// <summary>
    /// [1,1,H,W]: the scene's depth, 0 near to 1 far, for generators that use one; borrowed. Null: none is known, they estimate it.
    /// </summary>
    public Tensor? Depth { get; init; }
}

/// <summary>A degraded picture.</summary>
/// <param name="Degraded">[1,3,H,W] on [0,1]; the holder's to dispose.</param>
/// <param name="Measured">How far it is from the clean picture.</param>
/// <param name="Note">What a user may want to know, a sentence without a full stop; null: nothing.</param>
public sealed record Synthesized(Tensor Degraded, Intensity Measured, string? Note) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Degraded.Dispose();
}
