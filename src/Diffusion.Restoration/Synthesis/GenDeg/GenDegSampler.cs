using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>
/// GenDeg's way from noise to the latent of a degraded picture: Karras et al.'s Euler ancestral steps with guidance by text and intensity
/// and by the clean picture (Brooks et al., "InstructPix2Pix", 2023), on estimates of the clean latent.
/// </summary>
/// <param name="unet">Sees the noisy latent and that of the clean picture beside it.</param>
/// <param name="schedule">Its schedule; the network predicts the noise.</param>
/// <param name="settings">Steps and scales.</param>
public sealed class GenDegSampler(StableDiffusionUNet unet, NoiseSchedule schedule, GenDegSettings settings)
{
    // The UNet halves latents three times.
    private const int TileMultiple = 8;

    /// <summary>Side of the latent's tiles; null: none.</summary>
    public int? Tile { get; init; }

    /// <summary>
    /// Whether the three estimates of a step are computed together, which is faster, or one after the other, in less memory.
    /// </summary>
    public bool Together { get; init; } = true;

    /// <summary>Told the number of steps that are done.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>Handed named intermediates, borrowed for the time of the call; null: none.</summary>
    public Action<string, Tensor>? Trace { get; init; }

    /// <summary>Samples latents.</summary>
    /// <param name="clean">[N,C,h,w] mode of the clean picture's latent, not scaled; borrowed.</param>
    /// <param name="context">[N,T,D] of text and intensity, borrowed.</param>
    /// <param name="nothing">[N,T,D] of the empty text and no intensity, borrowed.</param>
    /// <param name="noise">Draws the start, and one for each step but the last.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <returns>[N,C,h,w], scaled; the caller owns it.</returns>
    public Tensor Sample(Tensor clean, Tensor context, Tensor nothing, NoiseSource noise, CancellationToken cancellation = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double[] sigmas = SamplingTimes.Ladder(schedule, settings.Steps);
        Tensor x = noise.Draw(NoiseRole.Start, clean.shape).to(clean.device) * sigmas[0];
        Trace?.Invoke("z_init", x);
        for (int i = 0; i < settings.Steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using Tensor before = x;
            using DisposeScope step = torch.NewDisposeScope();
            Trace?.Invoke($"step{i}.x", x);
            Tensor denoised = Denoised(x, sigmas[i], clean, context, nothing, $"step{i}.");
            Tensor? fresh = sigmas[i + 1] > 0 ? noise.Draw(NoiseRole.Step, clean.shape).to(clean.device) : null;
            x = StepRules.EulerAncestral(x, denoised, sigmas[i], sigmas[i + 1], fresh, settings.Eta).MoveToOuterDisposeScope();
            Progress?.Invoke(i + 1);
        }
        Trace?.Invoke("z", x);
        return x.MoveToOuterDisposeScope();
    }

    // none + s_text (both - image) + s_image (image - none), where "both" is told text and intensity too.
    private Tensor Denoised(Tensor x, double sigma, Tensor clean, Tensor context, Tensor nothing, string step)
    {
        (Tensor Seen, Tensor Context)[] branches = [(clean, context), (clean, nothing), (torch.zeros_like(clean), nothing)];
        (Tensor Seen, Tensor Context)[] calls = Together
            ? [(torch.cat([.. branches.Select(b => b.Seen)]), torch.cat([.. branches.Select(b => b.Context)]))]
            : branches;
        Tensor all = torch.cat([.. calls.Select(call => Estimate(x, sigma, call.Seen, call.Context, step))]);
        Tensor[] estimates = [.. all.chunk(branches.Length, dim: 0)];
        Tensor denoised = Guidance.Of(estimates[0], estimates[1], estimates[2], settings.TextScale, settings.ImageScale);
        if (Trace is not null)
        {
            Trace(step + "denoised_cond", estimates[0]);
            Trace(step + "denoised_image", estimates[1]);
            Trace(step + "denoised_uncond", estimates[2]);
            Trace(step + "denoised", denoised);
        }
        return denoised;
    }

    // x - sigma eps(x / sqrt(sigma^2 + 1), t(sigma)), of as many copies of x as pictures are seen.
    private Tensor Estimate(Tensor x, double sigma, Tensor seen, Tensor context, string step)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor copies = x.repeat(seen.shape[0] / x.shape[0], 1, 1, 1),
            input = torch.cat([copies / Math.Sqrt(sigma * sigma + 1), seen], dim: 1),
            t = torch.tensor([(float)schedule.TimeOf(sigma)], device: x.device);
        Trace?.Invoke(step + "t", t);
        Trace?.Invoke(step + "unet_input", input);
        Tensor epsilon = PictureTiles.Compute(input, Tile, TileMultiple, part =>
            FiniteOutput.Of(unet, "The UNet", module => unet.Forward(part, t, context, module ?? Modules(step)))
        );
        Trace?.Invoke(step + "unet_eps", epsilon);
        return (copies - sigma * epsilon).MoveToOuterDisposeScope();
    }

    private ModuleTrace? Modules(string step) => Trace is { } told ? (module, values) => told($"{step}block.{module}", values) : null;
}
