using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>The memory that OSDFace takes: all networks at once, or, where that is too much, one after the other.</summary>
internal sealed class OsdFaceMemory
{
    // Runtime, libtorch, codecs, and what the heap keeps of merged weights; fitted to whole runs at 512 pixels.
    private const long Base = 400L << 20;

    private readonly NetworkMemory _embedder,
        _unet,
        _vae;
    private readonly int _factor;

    /// <summary>From the networks' configurations; nothing is loaded.</summary>
    public OsdFaceMemory(OsdFaceBundle bundle, ComputePolicy policy)
    {
        using StableDiffusionUNet unet = new(bundle.Diffusion.UNetConfig, policy);
        using AutoencoderKL vae = new(bundle.Diffusion.VaeConfig, policy);
        using Network embedder = bundle.NewEmbedder(policy);
        (_embedder, _unet, _vae, _factor) = (NetworkMemory.Of(embedder), NetworkMemory.Of(unet), NetworkMemory.Of(vae), vae.SizeMultiple);
    }

    /// <summary>What the process may take.</summary>
    public long Bound { get; set; } = long.MaxValue;

    /// <summary>Whether networks must be freed after each use to stay within the bound.</summary>
    public bool Frugal(int height, int width, int batch, int? tile) => Together(height, width, batch, tile) > Bound;

    /// <summary>Bytes at the peak: of all networks at once where that is within the bound, else of the largest one.</summary>
    public long Bytes(int height, int width, int batch, int? tile) =>
        Frugal(height, width, batch, tile)
            ? Base + Stages(height, width, batch, tile).Max(stage => stage.Weights + stage.Values)
            : Together(height, width, batch, tile);

    private long Together(int height, int width, int batch, int? tile)
    {
        (long Weights, long Values)[] stages = Stages(height, width, batch, tile);
        return Base + stages.Sum(stage => stage.Weights) + stages.Max(stage => stage.Values);
    }

    private (long Weights, long Values)[] Stages(int height, int width, int batch, int? tile)
    {
        double pixels = (double)height * width,
            atOnce = tile is { } side ? Math.Min(pixels, (double)side * side) : pixels;
        return
        [
            (_embedder.WeightBytes, (long)(batch * pixels * _embedder.BytesPerPixel)),
            (_unet.WeightBytes, (long)(batch * pixels / _factor / _factor * _unet.BytesPerPixel)),
            (_vae.WeightBytes, (long)(atOnce * _vae.BytesPerPixel)),
        ];
    }
}
