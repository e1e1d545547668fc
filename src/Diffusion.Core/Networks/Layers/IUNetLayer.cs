namespace Diffusion.Networks.Layers;

/// <summary>A layer of a UNet block: sees the features, the embedding of time and class, and a context.</summary>
public interface IUNetLayer
{
    /// <summary>Computes the layer.</summary>
    /// <param name="h">[N,C,H,W] features, borrowed.</param>
    /// <param name="embedding">
    /// [N or 1,E] float32: SiLU of the time (and class) embedding, borrowed. Layers that do not depend on it ignore it.
    /// </param>
    /// <param name="context">
    /// [N or 1,T,D] tokens of what else the network is told, a text or another picture; borrowed. null: it is told nothing, and layers of
    /// cross-attention look at the features themselves.
    /// </param>
    /// <returns>The caller owns it.</returns>
    Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null);
}
