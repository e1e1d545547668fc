using Diffusion.Imaging;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Faces;

/// <summary>
/// One-step face restoration: Wang et al., "OSDFace: One-Step Diffusion Model for Face Restoration" (CVPR 2025), as its released code
/// computes it.
/// </summary>
/// <remarks>
/// Tokens of the degraded face (the nearest codes of its latent, widened) are the context of one evaluation of Stable Diffusion's UNet at
/// a fixed time; the latent of the face itself, without noise, is its input: x0 = (z - sqrt(1 - a) eps) / sqrt(a).
/// </remarks>
public sealed class OsdFacePipeline(OsdFaceNetworks networks, NoiseSchedule schedule, OsdFaceSettings settings)
{
    /// <summary>What the networks see of a picture: square ones resized, others as they are.</summary>
    /// <param name="picture">[N,3,H,W] on [0,1], borrowed.</param>
    /// <param name="side">Side of square ones.</param>
    /// <returns>[N,3,H',W'] on [-1,1]; the caller owns it.</returns>
    public static Tensor Input(Tensor picture, int side)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor v = picture * 2 - 1;
        if (v.shape[2] == v.shape[3] && v.shape[2] != side)
            v = Bilinear(v, side, corners: true);
        return v.MoveToOuterDisposeScope();
    }

    /// <summary>Restores faces.</summary>
    /// <param name="lq">[N,3,H,W] on [-1,1], sides multiples of the autoencoder's factor; borrowed.</param>
    /// <param name="noise">Draws the latent.</param>
    /// <param name="trace">Handed named intermediates, borrowed for the time of the call; null: none.</param>
    /// <returns>[N,3,H,W] on [0,1]; the caller owns it.</returns>
    /// <exception cref="NumericalException">A network overflowed.</exception>
    public Tensor Restore(Tensor lq, NoiseSource noise, Action<string, Tensor>? trace = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor context = Context(lq, trace);
        Tensor z = Latent(lq, noise, trace);
        Tensor t = torch.tensor(new[] { (float)settings.Timestep }, device: lq.device);
        Tensor eps = networks.UNet(unet =>
            FiniteOutput.Of(unet, "The UNet", module => unet.Forward(z, t, context, Under("unet.", module)))
        );
        trace?.Invoke("unet.model_pred", eps);
        double a = schedule.Published.AlphaBar[settings.Timestep];
        Tensor x0 = Predictions.X0(Prediction.Epsilon, z.to(ScalarType.Float64), eps.to(ScalarType.Float64), a).to(ScalarType.Float32);
        trace?.Invoke("x0_latent", x0);
        Tensor decoded = networks.Vae(vae =>
        {
            using Tensor unscaled = x0 / vae.Config.ScalingFactor;
            return FiniteOutput.Of(vae, "The decoder", module => LatentTiles.Decode(vae, unscaled, settings.Tile, Under("vae.", module)));
        });
        trace?.Invoke("vae.decoded", decoded);
        Tensor output = decoded.clamp(-1, 1) * 0.5 + 0.5;
        trace?.Invoke("output", output);
        return Colored(output, lq * 0.5 + 0.5).MoveToOuterDisposeScope();

        ModuleTrace? Under(string prefix, ModuleTrace? told) =>
            told is null && trace is null
                ? null
                : (module, values) =>
                {
                    told?.Invoke(module, values);
                    trace?.Invoke(prefix + module, values);
                };
    }

    // The codes that stand for the face. The released code normalises what is normalised already, so that the embedder sees [-3,1]; its
    // weights know nothing else.
    private Tensor Context(Tensor lq, Action<string, Tensor>? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = (Bilinear(lq, settings.EmbedderSide ?? settings.Side, corners: false) - 0.5) / 0.5;
        trace?.Invoke("vre.input", seen);
        Tensor tokens = networks.Embedder(embedder =>
        {
            ModuleTrace? told = trace is null ? null : (module, values) => trace("vre." + module, values);
            using Tensor latent = FiniteOutput.Of(embedder, "The embedder", module => embedder.Encode(seen, module ?? told));
            if (trace is not null)
                TraceCodes(embedder, latent, trace);
            return embedder.Tokens(latent);
        });
        trace?.Invoke("vre.tokens", tokens);
        Tensor context = networks.Change(change => change.Forward(tokens));
        trace?.Invoke("prompt_embeds", context);
        return context.MoveToOuterDisposeScope();
    }

    private static void TraceCodes(VisualEmbedder embedder, Tensor latent, Action<string, Tensor> trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using NearestCodes nearest = embedder.Nearest(latent.narrow(0, 0, 1));
        trace("vre.min_distance", nearest.Distances);
        trace("vre.nearest_code", nearest.Codes);
        trace("vre.selected_codes", torch.tensor(nearest.Selected(embedder.Config.Tokens)).unsqueeze(0));
    }

    // The only draw of the whole way.
    private Tensor Latent(Tensor lq, NoiseSource noise, Action<string, Tensor>? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor z = networks.Vae(vae =>
        {
            Tensor moments = FiniteOutput.Of(vae, "The encoder", module =>
                LatentTiles.Encode(
                    vae,
                    lq,
                    settings.Tile,
                    module ?? (trace is null ? null : (name, values) => trace("vae." + name, values))
                )
            );
            trace?.Invoke("vae.moments", moments);
            Tensor latent =
                settings.Latent == LatentChoice.Mode
                    ? LatentGaussian.Mean(moments)
                    : LatentGaussian.Sample(
                        moments,
                        noise
                            .Draw(NoiseRole.Start, [moments.shape[0], moments.shape[1] / 2, moments.shape[2], moments.shape[3]])
                            .to(moments.device)
                    );
            return latent * vae.Config.ScalingFactor;
        });
        trace?.Invoke("lq_latent", z);
        return z.MoveToOuterDisposeScope();
    }

    // The published functions read and write 8 bits.
    private Tensor Colored(Tensor output, Tensor source)
    {
        Tensor Written(Tensor values) => settings.Preset == FacePreset.Paper ? (values.clamp(0, 1) * 255).floor() / 255 : values;
        return settings.ColorFix switch
        {
            FaceColorFix.Wavelet => Written(ColorTransfer.Wavelet(Written(output), Written(source))),
            FaceColorFix.Adain => Written(ColorTransfer.Adain(Written(output), Written(source))),
            _ => Written(output),
        };
    }

    private static Tensor Bilinear(Tensor x, int side, bool corners) =>
        torch.nn.functional.interpolate(
            x,
            size: [side, side],
            mode: torch.InterpolationMode.Bilinear,
            align_corners: corners,
            antialias: false
        );
}
