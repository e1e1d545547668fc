using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>OSDFace's networks: each loaded when it is first used, and kept, or freed again after each use where memory is short.</summary>
/// <param name="embedder">Loads the visual representation embedder.</param>
/// <param name="change">Loads the embedding change.</param>
/// <param name="unet">Loads the UNet, updates merged.</param>
/// <param name="vae">Loads the autoencoder.</param>
public sealed class OsdFaceNetworks(
    Func<VisualEmbedder> embedder,
    Func<EmbeddingChange> change,
    Func<StableDiffusionUNet> unet,
    Func<AutoencoderKL> vae
) : IDisposable
{
    private readonly NetworkOnUse<VisualEmbedder> _embedder = new(embedder);
    private readonly NetworkOnUse<EmbeddingChange> _change = new(change);
    private readonly NetworkOnUse<StableDiffusionUNet> _unet = new(unet);
    private readonly NetworkOnUse<AutoencoderKL> _vae = new(vae);

    /// <summary>The networks of a bundle.</summary>
    public static OsdFaceNetworks Of(OsdFaceBundle bundle, ComputePolicy policy) =>
        new(
            () => bundle.LoadEmbedder(policy),
            () => bundle.LoadChange(policy),
            () => bundle.LoadUNet(policy),
            () => bundle.LoadVae(policy)
        );

    /// <summary>Whether each is freed after its use.</summary>
    public bool Frugal { get; set; }

    /// <summary>Uses the embedder; the result is the caller's.</summary>
    public T Embedder<T>(Func<VisualEmbedder, T> use) => _embedder.Use(use, Frugal);

    /// <summary>Uses the embedding change; the result is the caller's.</summary>
    public T Change<T>(Func<EmbeddingChange, T> use) => _change.Use(use, Frugal);

    /// <summary>Uses the UNet; the result is the caller's.</summary>
    public T UNet<T>(Func<StableDiffusionUNet, T> use) => _unet.Use(use, Frugal);

    /// <summary>Uses the autoencoder; the result is the caller's.</summary>
    public T Vae<T>(Func<AutoencoderKL, T> use) => _vae.Use(use, Frugal);

    /// <inheritdoc/>
    public void Dispose()
    {
        _embedder.Dispose();
        _change.Dispose();
        _unet.Dispose();
        _vae.Dispose();
    }
}
