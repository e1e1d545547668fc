using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>A network that was trained to restore: a degraded picture in, the restored one out, in one evaluation.</summary>
/// <param name="policy">How it computes; null: float32 without fused paths.</param>
public abstract class PictureNetwork(ComputePolicy? policy) : Network(policy)
{
    /// <summary>Channels of the pictures that it restores; null: it restores none by itself.</summary>
    public abstract int? Channels { get; }

    /// <summary>Restores pictures.</summary>
    /// <param name="x">[N,<see cref="Channels"/>,H,W] float32 on [0,1] of any size, borrowed.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>In the shape of <paramref name="x"/>, not clipped; the caller owns it.</returns>
    public abstract Tensor Restore(Tensor x, ModuleTrace? trace = null);
}
