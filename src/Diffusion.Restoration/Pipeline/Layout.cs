using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>How a batch is restored within the memory that there is: whole, with the network in tiles, or area by area.</summary>
/// <param name="Tile">Side of the network's tiles; null: none.</param>
/// <param name="Rows">The areas' rows; null for whole pictures.</param>
/// <param name="Columns">The areas' columns; null for whole pictures.</param>
/// <param name="Bytes">Memory of the process at its peak.</param>
/// <param name="Pixels">Pixels that one evaluation of everything computes: areas and tiles overlap.</param>
internal sealed record Layout(int? Tile, TileSpan[]? Rows, TileSpan[]? Columns, long Bytes, long Pixels)
{
    // Pictures of the whole size that are held at once, though the system may write them out: the measurement, the result, and the result's
    // samples or a mask.
    private const int WholePictures = 3;

    // Shared by neighbours while one fades into the other.
    private const int Shared = 64;
    private const int SmallestSide = 512,
        LargestSide = 4096,
        SideStep = 128,
        SmallestTile = 128;

    /// <summary>Number of areas; 1 for the whole.</summary>
    public int Areas => Rows is null || Columns is null ? 1 : Rows.Length * Columns.Length;

    /// <summary>The area that stands for all when something is decided; null for the whole.</summary>
    public PictureArea? Middle => Rows is null || Columns is null ? null : Area(Rows[Rows.Length / 2], Columns[Columns.Length / 2]);

    /// <summary>The rectangle of a row and a column of areas.</summary>
    public static PictureArea Area(TileSpan row, TileSpan column) => new(row.Start, column.Start, row.Length, column.Length);

    /// <summary>
    /// The areas of one picture that does not fit into the memory as a whole; null where it does, or where areas do not help.
    /// </summary>
    public static Layout? InAreas(IRestoration restoration, MemoryBound bound)
    {
        if (Fit(restoration, bound, restoration.Output.Height, restoration.Output.Width, 1, bound.Bytes).Fits)
            return null;
        return restoration.Areas is { } grid ? Best(restoration, bound, grid) : null;
    }

    /// <summary>Whole pictures, in tiles where that is needed.</summary>
    /// <exception cref="ResourceException">Not even the smallest tile fits into the memory that is there.</exception>
    public static Layout Whole(IRestoration restoration, MemoryBound bound, int batch)
    {
        (int height, int width) = (restoration.Output.Height, restoration.Output.Width);
        (bool fits, int? tile) = Fit(restoration, bound, height, width, batch, bound.Bytes);
        return fits
            ? new(tile, null, null, restoration.Bytes(height, width, batch, tile), batch * restoration.Pixels(height, width, tile))
            : throw bound.Exceeded(restoration.Bytes(height, width, batch, SmallestTile), height, width, batch);
    }

    // The side of the tiles with which a part keeps within a bound, null for none; and whether there is such a side. Tiles that the user
    // asked for are not questioned unless he gave a bound too.
    private static (bool Fits, int? Tile) Fit(IRestoration restoration, MemoryBound bound, int height, int width, int batch, long bytes)
    {
        int longest = Math.Max(height, width);
        if (bound.Tile is { } asked)
            return (!bound.Given || restoration.Bytes(height, width, batch, asked) <= bytes, longest > asked ? asked : null);
        int? tile = restoration.TilesBeyond is { } beyond && longest > beyond ? beyond : null;
        while (restoration.Bytes(height, width, batch, tile) > bytes)
        {
            int next = tile is { } side ? side / 2 : Math.Max(SmallestTile, 1 << (int)Math.Log2(longest - 1));
            if (next < SmallestTile || next == tile)
                return (false, null);
            tile = next;
        }
        return (true, tile);
    }

    // Of all areas that fit into the memory, those that the network computes the fewest pixels for: large areas need tiles, which overlap,
    // small ones overlap themselves.
    private static Layout? Best(IRestoration restoration, MemoryBound bound, AreaGrid grid)
    {
        ImageShape picture = grid.Picture;
        int margin = Up(grid.Reach),
            overlap = 2 * margin + Up(Shared);
        long whole = (long)WholePictures * picture.Count * sizeof(float);
        Layout? best = null;
        for (int side = SmallestSide; side < Math.Min(LargestSide + 1, Math.Max(picture.Height, picture.Width)); side += SideStep)
        {
            if (side < 4 * grid.Reach)
                continue;
            (int height, int width) = (Math.Min(Up(side), picture.Height), Math.Min(Up(side), picture.Width));
            (bool fits, int? tile) = Fit(restoration, bound, height, width, 1, bound.Bytes - whole);
            if (!fits)
                break;
            TileSpan[] rows = TileSpan.Cut(picture.Height, Up(side), overlap, margin, grid.Period),
                columns = TileSpan.Cut(picture.Width, Up(side), overlap, margin, grid.Period);
            long pixels = rows.Sum(row => columns.Sum(column => restoration.Pixels(row.Length, column.Length, tile)));
            if (best is null || pixels < best.Pixels)
                best = new Layout(tile, rows, columns, restoration.Bytes(height, width, 1, tile) + whole, pixels);
        }
        return best is null
            ? null
            : best with
            {
                Rows = Normalised(best.Rows!, picture.Height),
                Columns = Normalised(best.Columns!, picture.Width),
            };

        int Up(int pixels) => (pixels + grid.Period - 1) / grid.Period * grid.Period;
    }

    // Weights that sum to one at every pixel.
    private static TileSpan[] Normalised(TileSpan[] spans, int length)
    {
        float[] total = new float[length];
        foreach (TileSpan span in spans)
            for (int i = 0; i < span.Length; i++)
                total[span.Start + i] += span.Weights[i];
        return [.. spans.Select(span => span with { Weights = [.. span.Weights.Select((weight, i) => weight / total[span.Start + i])] })];
    }
}
