using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>A one-step restorer of aligned faces as its training sees it. Each thread has one, all with the same weights.</summary>
public interface IFaceLearner : IDisposable
{
    /// <summary>Side of the faces.</summary>
    int Side { get; }

    /// <summary>What learns, under the names that it is written with.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Gives what learns its first values.</summary>
    /// <param name="seed">Decides them.</param>
    void Initialize(ulong seed);

    /// <summary>Starts from values that an earlier training left, as far as they fit.</summary>
    /// <param name="path">What <see cref="Write"/> left.</param>
    /// <exception cref="CheckpointException">They are missing or of another family.</exception>
    void Take(string path);

    /// <summary>Restores faces for a step.</summary>
    /// <param name="degraded">[N,3,S,S] on [-1,1], borrowed.</param>
    /// <param name="clean">The originals, for what the embedder of tokens learns; borrowed.</param>
    /// <param name="tokens">For each face whether it has tokens.</param>
    /// <param name="embedderLearns">Whether the embedder of tokens learns too.</param>
    /// <returns>[N,3,S,S], and the embedder's own loss [N] where it learns; the caller owns them.</returns>
    (Tensor Restored, Tensor? OfCodes) Restore(Tensor degraded, Tensor clean, IReadOnlyList<bool> tokens, bool embedderLearns);

    /// <summary>The loss of the embedder of tokens alone, [N]; the caller owns it.</summary>
    /// <param name="degraded">[N,3,S,S] on [-1,1], borrowed.</param>
    /// <param name="clean">The originals; borrowed.</param>
    /// <exception cref="NotSupportedException">Its embedder does not learn.</exception>
    Tensor OfCodes(Tensor degraded, Tensor clean);

    /// <summary>Restores a face to look at.</summary>
    /// <param name="degraded">[1,3,S,S] on [-1,1], borrowed.</param>
    FaceView View(Tensor degraded);

    /// <summary>Writes what was learnt, and a card.</summary>
    /// <param name="folder">Made when missing.</param>
    /// <param name="plan">How it was trained.</param>
    /// <param name="state">The run.</param>
    /// <param name="validation">What was measured.</param>
    void Write(string folder, FaceTrainingPlan plan, TrainingState state, FaceValidation validation);
}

/// <summary>A restored face. The caller owns the tensors.</summary>
/// <param name="Restored">[1,3,S,S] on [-1,1], not clipped.</param>
/// <param name="Tokenless">The same without tokens; null where the restorer cannot do without.</param>
/// <param name="Codes">The codes of its tokens.</param>
public sealed record FaceView(Tensor Restored, Tensor? Tokenless, IReadOnlyList<long> Codes);
