using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Networks.Layers;

namespace Diffusion.Tests.Parity;

/// <summary>What the cases of KAIR's denoisers have in common.</summary>
internal static class DenoiserCase
{
    /// <summary>The picture that the network is given, compared with the recorded one where it is rounded.</summary>
    public static Tensor Picture(ParityCase reference, bool rounds)
    {
        if (rounds)
            reference.AssertOutput("x_clip", EightBits.Round(reference.Input("x")));
        return reference.Input("x");
    }

    /// <summary>Compares a network of the case as the prior of a diffusion.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="network">Told a noise level; disposed.</param>
    /// <param name="factor">On the tolerances.</param>
    public static void AssertPrior(ParityCase reference, DenoisingNetwork network, double factor)
    {
        if (!reference.Config.Has("prior"))
            return;
        double alphaBar = reference.Config.Object("prior").Double("alpha_bar"),
            sigma = Math.Sqrt((1 - alphaBar) / alphaBar);
        using DenoisingPrior prior = new(network, new PriorInfo { Name = "case", Kind = PriorKind.PosteriorMean });
        Tensor x = reference.Input("x_t") / Math.Sqrt(alphaBar);
        reference.AssertOutput("prior.input", (x + 1) / 2);
        reference.AssertOutput("prior.sigma", torch.tensor([(float)(sigma / 2)]));
        reference.AssertOutput("prior.x0", prior.Denoise(x, sigma), factor);
    }
}
