namespace Diffusion.Networks;

/// <summary>The Gaussian of latents that <see cref="AutoencoderKL.Encode"/> gives.</summary>
public static class LatentGaussian
{
    /// <summary>The mean, which is the mode: [N,2L,h,w], borrowed, to [N,L,h,w]; the caller owns it.</summary>
    public static Tensor Mean(Tensor moments) => moments.narrow(1, 0, moments.shape[1] / 2).contiguous();

    /// <summary>The logarithm of the variance, clamped to [-30,20]: [N,2L,h,w], borrowed, to [N,L,h,w]; the caller owns it.</summary>
    public static Tensor LogVariance(Tensor moments)
    {
        using Tensor second = moments.narrow(1, moments.shape[1] / 2, moments.shape[1] / 2);
        return second.clamp(-30, 20);
    }

    /// <summary>The standard deviation: [N,2L,h,w], borrowed, to [N,L,h,w]; the caller owns it.</summary>
    public static Tensor Deviation(Tensor moments)
    {
        using Tensor logarithm = LogVariance(moments),
            half = logarithm * 0.5;
        return half.exp();
    }

    /// <summary>Mean plus deviation times noise.</summary>
    /// <param name="moments">[N,2L,h,w], borrowed.</param>
    /// <param name="noise">[N,L,h,w] standard normal, borrowed.</param>
    /// <returns>[N,L,h,w]; the caller owns it.</returns>
    public static Tensor Sample(Tensor moments, Tensor noise)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (Mean(moments) + Deviation(moments) * noise).MoveToOuterDisposeScope();
    }
}
