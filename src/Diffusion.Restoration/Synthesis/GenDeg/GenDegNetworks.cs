using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>GenDeg's networks: each loaded when it is first used, and kept, or freed again after each use where memory is short.</summary>
/// <param name="bundle">The files; borrowed.</param>
/// <param name="policy">How they compute.</param>
internal sealed class GenDegNetworks(GenDegBundle bundle, ComputePolicy policy) : IDisposable
{
    // Text and context take little and are used once a kind and intensity.
    private readonly NetworkOnUse<ClipTextEncoder> _text = new(() => bundle.LoadText(policy));
    private readonly NetworkOnUse<GenDegContext> _context = new(() => bundle.LoadContext(policy));
    private readonly NetworkOnUse<StableDiffusionUNet> _unet = new(() => bundle.LoadUNet(policy));
    private readonly NetworkOnUse<AutoencoderKL> _vae = new(() => bundle.LoadVae(policy));
    private readonly NetworkOnUse<NafNet> _correction = new(() => bundle.LoadCorrection(policy));

    /// <summary>Whether each is freed after its use.</summary>
    public bool Frugal { get; set; }

    /// <summary>Uses the text encoder; the result is the caller's.</summary>
    public T Text<T>(Func<ClipTextEncoder, T> use) => _text.Use(use, Frugal);

    /// <summary>Uses the layers of the context; the result is the caller's.</summary>
    public T Context<T>(Func<GenDegContext, T> use) => _context.Use(use);

    /// <summary>Uses the UNet; the result is the caller's.</summary>
    public T UNet<T>(Func<StableDiffusionUNet, T> use) => _unet.Use(use, Frugal);

    /// <summary>Uses the autoencoder; the result is the caller's.</summary>
    public T Vae<T>(Func<AutoencoderKL, T> use) => _vae.Use(use, Frugal);

    /// <summary>Uses the structure correction; the result is the caller's.</summary>
    public T Correction<T>(Func<NafNet, T> use) => _correction.Use(use, Frugal);

    /// <inheritdoc/>
    public void Dispose()
    {
        _text.Dispose();
        _context.Dispose();
        _unet.Dispose();
        _vae.Dispose();
        _correction.Dispose();
    }
}
