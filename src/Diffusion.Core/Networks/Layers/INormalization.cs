namespace Diffusion.Networks.Layers;

/// <summary>A normalisation of features with what follows it in a UNet.</summary>
public interface INormalization
{
    /// <summary>silu(norm(x) (1 + scale) + shift).</summary>
    /// <param name="x">[N,C,H,W] features, borrowed.</param>
    /// <param name="modulation">Scale and shift, [N or 1,C] each, or null.</param>
    /// <param name="dtype">Dtype of the result; null keeps that of <paramref name="x"/>.</param>
    /// <param name="reuse">Nobody needs <paramref name="x"/> any more: its memory may take the result.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    Tensor Activate(Tensor x, (Tensor Scale, Tensor Shift)? modulation = null, ScalarType? dtype = null, bool reuse = false);
}
