using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>
/// Latent networks in bounded memory: large pictures in overlapping tiles that are blended, and one picture at a time in the autoencoder.
/// Norms see each tile by itself, so that tiles differ a little from the whole; the overlap hides the seams.
/// </summary>
public static class LatentTiles
{
    // Of the tile's side: what neighbours share.
    private const int OverlapShare = 4;

    // UNets halve latents three times.
    private const int TileMultiple = 8;

    /// <summary>Encodes pictures.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="x">[N,C,H,W] on [-1,1], borrowed.</param>
    /// <param name="tile">Side of a tile in pixels; null: none.</param>
    /// <param name="trace">Told the modules where there is one tile.</param>
    /// <returns>[N,2L,h,w]; the caller owns it.</returns>
    public static Tensor Encode(AutoencoderKL vae, Tensor x, int? tile, ModuleTrace? trace = null) =>
        InTiles(x, tile, vae.SizeMultiple, 1.0 / vae.SizeMultiple, part => vae.Encode(part, trace));

    /// <summary>Decodes latents.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="z">[N,L,h,w], as they were before the scaling, borrowed.</param>
    /// <param name="tile">Side of a tile in pixels of the picture; null: none.</param>
    /// <param name="trace">Told the modules where there is one tile.</param>
    /// <returns>[N,C,H,W], not clipped; the caller owns it.</returns>
    public static Tensor Decode(AutoencoderKL vae, Tensor z, int? tile, ModuleTrace? trace = null) =>
        InTiles(z, tile / vae.SizeMultiple, 1, vae.SizeMultiple, part => vae.Decode(part, trace));

    /// <summary>Computes a network that gives latents of the size that it sees, of all pictures at once.</summary>
    /// <param name="x">[N,C,h,w], borrowed.</param>
    /// <param name="tile">Side of a tile in the latent's pixels; null: none.</param>
    /// <param name="compute">The network.</param>
    /// <returns>[N,L,h,w]; the caller owns it.</returns>
    public static Tensor Compute(Tensor x, int? tile, Func<Tensor, Tensor> compute) => Picture(x, tile, TileMultiple, 1, compute);

    private static Tensor InTiles(Tensor x, int? tile, int multiple, double scale, Func<Tensor, Tensor> compute)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] pictures =
        [
            .. Enumerable.Range(0, (int)x.shape[0]).Select(n => Picture(x.narrow(0, n, 1), tile, multiple, scale, compute)),
        ];
        return (pictures.Length == 1 ? pictures[0] : torch.cat(pictures)).MoveToOuterDisposeScope();
    }

    private static Tensor Picture(Tensor x, int? tile, int multiple, double scale, Func<Tensor, Tensor> compute)
    {
        (int height, int width) = ((int)x.shape[2], (int)x.shape[3]);
        if (tile is not { } side || Math.Max(height, width) <= side)
            return compute(x);
        side = Math.Max(multiple, side / multiple * multiple);
        TileSpan[] rows = Cut(height),
            columns = Cut(width);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor? sum = null;
        Tensor total = torch.zeros([1, 1, (long)(height * scale), (long)(width * scale)], device: x.device);
        foreach (TileSpan row in rows)
        foreach (TileSpan column in columns)
        {
            using DisposeScope inner = torch.NewDisposeScope();
            Tensor part = compute(x.narrow(2, row.Start, row.Length).narrow(3, column.Start, column.Length));
            sum ??= torch.zeros([x.shape[0], part.shape[1], total.shape[2], total.shape[3]], device: x.device).MoveToOuterDisposeScope();
            Tensor weights = (Scaled(row) * Scaled(column).transpose(2, 3)).to(x.device);
            Place(sum, row, column).add_(part * weights);
            Place(total, row, column).add_(weights);
        }
        return (sum! / total).MoveToOuterDisposeScope();

        TileSpan[] Cut(int length) => TileSpan.Cut(length, side, Math.Max(multiple, side / OverlapShare), 0, multiple);

        // The ramp in the result's pixels: linear between those of the tile's.
        Tensor Scaled(TileSpan span)
        {
            Tensor weights = torch.tensor(span.Weights).reshape(1, 1, -1, 1);
            return torch.nn.functional.interpolate(
                weights,
                size: [(long)(span.Length * scale), 1],
                mode: torch.InterpolationMode.Bilinear,
                align_corners: false
            );
        }

        Tensor Place(Tensor of, TileSpan row, TileSpan column) =>
            of.narrow(2, (long)(row.Start * scale), (long)(row.Length * scale))
                .narrow(3, (long)(column.Start * scale), (long)(column.Length * scale));
    }
}
