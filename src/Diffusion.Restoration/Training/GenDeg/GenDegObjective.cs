using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Training.GenDeg;

/// <summary>
/// GenDeg's training step: || eps(x_t, clean, text and intensity) - n ||^2, x_t = sqrt(a_t) z + sqrt(1 - a_t) n, where z is a draw of the
/// degraded picture's latent, and text and intensity, or the clean picture, or both, are now and then kept from the network.
/// </summary>
/// <param name="Schedule">The noise schedule.</param>
/// <param name="Scale">What latents are multiplied with.</param>
/// <param name="Dropout">
/// u: nothing is told of r below u, no text and no picture from u to 2u, no picture from 2u to 3u; the rest is.
/// </param>
public sealed record GenDegObjective(NoiseSchedule Schedule, double Scale = 0.18215, double Dropout = 0.05)
{
    /// <summary>The loss of a batch.</summary>
    /// <param name="unet">Predicts the noise.</param>
    /// <param name="context">The layers that mix texts and intensities.</param>
    /// <param name="batch">What is learned from; borrowed.</param>
    /// <param name="draws">The step's random numbers; borrowed.</param>
    /// <param name="trace">Handed <c>z</c>, <c>crossattn</c> and <c>concat</c>; null: nothing is.</param>
    /// <returns>[], differentiable with respect to both networks; the caller owns it.</returns>
    public Tensor Loss(
        StableDiffusionUNet unet,
        GenDegContext context,
        GenDegBatch batch,
        GenDegDraws draws,
        Action<string, Tensor>? trace = null
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor z = Scale * LatentGaussian.Sample(batch.DegradedMoments, draws.Posterior);
        trace?.Invoke("z", z);
        (Tensor told, Tensor seen) = Kept(batch, draws.Dropout, context);
        trace?.Invoke("crossattn", told);
        trace?.Invoke("concat", seen);
        Tensor alphaBar = torch
            .tensor([.. Schedule.AlphaBar.Select(a => (float)a)], device: z.device)
            .index_select(0, draws.Times)
            .reshape(-1, 1, 1, 1);
        Tensor noisy = alphaBar.sqrt() * z + (1 - alphaBar).sqrt() * draws.Noise,
            estimate = unet.Forward(torch.cat([noisy, seen], dim: 1), draws.Times.to(ScalarType.Float32), told);
        return (estimate - draws.Noise).square().mean().MoveToOuterDisposeScope();
    }

    private (Tensor Told, Tensor Seen) Kept(GenDegBatch batch, Tensor r, GenDegContext context)
    {
        long count = r.shape[0];
        Tensor nothing = torch
            .cat([IntensityBins.Mu.OneHot(IntensityBins.Mu.Null), IntensityBins.Sigma.OneHot(IntensityBins.Sigma.Null)])
            .unsqueeze(0)
            .to(r.device);
        Tensor told = context.Forward(batch.Text, batch.Intensity),
            untold = context.Forward(batch.EmptyText, nothing).expand(count, -1, -1);
        Tensor withoutText = r.lt(2 * Dropout).reshape(-1, 1, 1),
            withoutPicture = r.ge(Dropout).logical_and(r.lt(3 * Dropout)).reshape(-1, 1, 1, 1);
        Tensor clean = LatentGaussian.Mean(batch.CleanMoments);
        return (torch.where(withoutText, untold, told), clean.masked_fill(withoutPicture, 0));
    }
}

/// <summary>What a training step learns from.</summary>
/// <param name="DegradedMoments">[N,2C,h,w] Gaussians of the degraded pictures' latents.</param>
/// <param name="CleanMoments">[N,2C,h,w] Gaussians of the clean pictures' latents.</param>
/// <param name="Text">[N,T,D] encoded prompts.</param>
/// <param name="EmptyText">[1,T,D] the empty text, encoded.</param>
/// <param name="Intensity">[N,2,bins + 1] one-hot vectors of mu and sigma.</param>
public sealed record GenDegBatch(Tensor DegradedMoments, Tensor CleanMoments, Tensor Text, Tensor EmptyText, Tensor Intensity);

/// <summary>A training step's random numbers, in the order in which the published code draws them.</summary>
/// <param name="Posterior">[N,C,h,w] standard normal: the draw of the degraded latent.</param>
/// <param name="Dropout">[N] uniform on [0,1): what is kept from the network.</param>
/// <param name="Times">[N] int64, uniform on 0..T-1.</param>
/// <param name="Noise">[N,C,h,w] standard normal.</param>
public sealed record GenDegDraws(Tensor Posterior, Tensor Dropout, Tensor Times, Tensor Noise);
