using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>A network that is told the noise level and estimates the clean picture itself, as plug-and-play denoisers do.</summary>
/// <param name="policy">How it computes; null: float32 without fused paths.</param>
public abstract class DenoisingNetwork(ComputePolicy? policy) : Network(policy)
{
    /// <summary>Channels of the picture.</summary>
    public abstract int Channels { get; }

    /// <summary>The noise levels on [0,1] that it was trained for.</summary>
    public abstract (double Min, double Max) NoiseRange { get; }

    /// <summary>Published code repeats the border until sides are multiples of this.</summary>
    public virtual int PaddedMultiple => SizeMultiple;

    /// <summary>Estimates the clean picture.</summary>
    /// <param name="x">
    /// [N,<see cref="Channels"/>,H,W] float32 on [0,1] with noise, borrowed; H and W multiples of <see cref="Network.SizeMultiple"/>.
    /// </param>
    /// <param name="sigma">Standard deviation of the noise on [0,1].</param>
    /// <returns>In the shape of <paramref name="x"/>; the caller owns it.</returns>
    public abstract Tensor Denoise(Tensor x, double sigma);
}
