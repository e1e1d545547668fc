using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>The autoencoder in bounded memory: one picture at a time, large ones in <see cref="PictureTiles"/>.</summary>
public static class LatentTiles
{
    /// <summary>Encodes pictures.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="x">[N,C,H,W] on [-1,1], borrowed.</param>
    /// <param name="tile">Side of a tile in pixels; null: none.</param>
    /// <param name="trace">Told the modules where there is one tile.</param>
    /// <returns>[N,2L,h,w]; the caller owns it.</returns>
    public static Tensor Encode(AutoencoderKL vae, Tensor x, int? tile, ModuleTrace? trace = null) =>
        OneByOne(x, one => PictureTiles.Compute(one, tile, vae.SizeMultiple, part => vae.Encode(part, trace), 1.0 / vae.SizeMultiple));

    /// <summary>Decodes latents.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="z">[N,L,h,w], as they were before the scaling, borrowed.</param>
    /// <param name="tile">Side of a tile in pixels of the picture; null: none.</param>
    /// <param name="trace">Told the modules where there is one tile.</param>
    /// <returns>[N,C,H,W], not clipped; the caller owns it.</returns>
    public static Tensor Decode(AutoencoderKL vae, Tensor z, int? tile, ModuleTrace? trace = null) =>
        OneByOne(z, one => PictureTiles.Compute(one, tile / vae.SizeMultiple, 1, part => vae.Decode(part, trace), vae.SizeMultiple));

    private static Tensor OneByOne(Tensor x, Func<Tensor, Tensor> compute)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] pictures = [.. Enumerable.Range(0, (int)x.shape[0]).Select(n => compute(x.narrow(0, n, 1)))];
        return (pictures.Length == 1 ? pictures[0] : torch.cat(pictures)).MoveToOuterDisposeScope();
    }
}
