using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// Told the output of each module by its published name (<c>input_blocks.3</c>, <c>input_blocks.3.0</c>, <c>time_embed</c>); the tensor is
/// borrowed for the time of the call.
/// </summary>
public delegate void ModuleTrace(string module, Tensor output);

/// <summary>
/// A network that sees a picture with noise and is told a time. What its output means (the noise, the picture, a mixture of both) is a
/// matter of its training, which the prior's card says.
/// </summary>
/// <param name="policy">How it computes; null: float32 without fused paths.</param>
public abstract class DiffusionNetwork(ComputePolicy? policy) : Network(policy)
{
    /// <summary>Channels of the picture.</summary>
    public abstract int Channels { get; }

    /// <summary>Number of classes of which it must be told one; null: unconditional.</summary>
    public virtual int? Classes => null;

    /// <summary>Side beyond which pictures are better cut into tiles; null: the architecture does not tell.</summary>
    public virtual int? LargestSide => null;

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,C,H,W] float32, borrowed; C is <see cref="Channels"/>, H and W multiples of the stride.</param>
    /// <param name="t">[N] times, or [1] for the whole batch; not necessarily integers.</param>
    /// <param name="labels">[N] int64 class labels, for class-conditional networks.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>
    /// [N,C,H,W] float32; the caller owns it. C is <see cref="Channels"/>, or twice as many where the variance is learned.
    /// </returns>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing or surplus.</exception>
    public abstract Tensor Forward(Tensor x, Tensor t, Tensor? labels = null, ModuleTrace? trace = null);
}
