namespace Diffusion.Networks.Layers;

/// <summary>A layer of a UNet block: sees the features and the embedding of time and class.</summary>
public interface IUNetLayer
{
    /// <summary>Computes the layer.</summary>
    /// <param name="h">[N,C,H,W] features, borrowed.</param>
    /// <param name="embedding">
    /// [N or 1,E] float32: SiLU of the time (and class) embedding, borrowed. Layers that do not depend on it ignore it.
    /// </param>
    /// <returns>The caller owns it.</returns>
    Tensor Forward(Tensor h, Tensor embedding);
}
