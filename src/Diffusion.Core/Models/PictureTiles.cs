namespace Diffusion.Models;

/// <summary>
/// Networks in bounded memory: large pictures in overlapping tiles that are blended. Norms and attention see each tile by itself, so that
/// tiles differ a little from the whole; the overlap hides the seams.
/// </summary>
public static class PictureTiles
{
    // Of the tile's side: what neighbours share.
    private const int OverlapShare = 4;

    /// <summary>Computes a network, all pictures at once.</summary>
    /// <param name="x">[N,C,H,W], borrowed.</param>
    /// <param name="tile">Side of a tile in pixels; null: none.</param>
    /// <param name="multiple">Tiles begin at multiples of this.</param>
    /// <param name="compute">The network: [N,C,h,w] to [N,L,h scale,w scale].</param>
    /// <param name="scale">Pixels of the result for one of the input.</param>
    /// <returns>[N,L,H scale,W scale]; the caller owns it.</returns>
    public static Tensor Compute(Tensor x, int? tile, int multiple, Func<Tensor, Tensor> compute, double scale = 1)
    {
        (int height, int width) = ((int)x.shape[2], (int)x.shape[3]);
        if (tile is not { } asked || Math.Max(height, width) <= asked)
            return compute(x);
        int side = Math.Max(multiple, asked / multiple * multiple);
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
