using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Decides whether the prior runs on whole pictures or on tiles.</summary>
internal static class Tiling
{
    private const int SmallestTile = 128;

    /// <summary>The tiled prior, or null when whole pictures are fine.</summary>
    /// <exception cref="ResourceException">Not even the smallest tile fits into the memory that is there.</exception>
    public static IDenoiser? Wrap(IDenoiser prior, RestoreOptions options, ImageShape picture, int batch, ComputePolicy policy)
    {
        if (Choose(prior, options, picture, batch, policy) is not { } tile)
            return null;
        return TiledDenoiser.Around(prior, tile);
    }

    /// <summary>The side of the tiles; null for whole pictures.</summary>
    public static int? Choose(IDenoiser prior, RestoreOptions options, ImageShape picture, int batch, ComputePolicy policy)
    {
        MemoryEstimate estimate = MemoryEstimate.Of(prior);
        long bound = options.Memory ?? MemoryEstimate.Available();
        (bool fits, int? tile) = Fit(prior, options, estimate, picture, batch, bound);
        return fits
            ? tile
            : throw TooSmall(estimate.Bytes(picture, batch, SmallestTile), bound, picture, batch, options.Memory is not null);
    }

    /// <summary>
    /// The side of the tiles with which a restoration keeps within <paramref name="bound"/> bytes, null for whole pictures; and whether
    /// there is such a side. Tiles that the user asked for are not questioned.
    /// </summary>
    public static (bool Fits, int? Tile) Fit(
        IDenoiser prior,
        RestoreOptions options,
        MemoryEstimate estimate,
        ImageShape picture,
        int batch,
        long bound
    )
    {
        int longest = Math.Max(picture.Height, picture.Width);
        if (options.Tile is { } asked)
            return (options.Memory is null || estimate.Bytes(picture, batch, asked) <= bound, longest > asked ? asked : null);
        int? tile = prior.Info.TilesBeyond is { } beyond && longest > beyond ? beyond : null;
        while (estimate.Bytes(picture, batch, tile) > bound)
        {
            int next = tile is { } side ? side / 2 : Math.Max(SmallestTile, 1 << (int)Math.Log2(longest - 1));
            if (next < SmallestTile || next == tile)
                return (false, null);
            tile = next;
        }
        return (true, tile);
    }

    private static ResourceException TooSmall(long needed, long bound, ImageShape picture, int batch, bool given) =>
        new(
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"A picture of {picture.Height}x{picture.Width} pixels{(batch > 1 ? $", {batch} at a time," : "")} needs about "
                    + $"{needed / 1e9:0.0} GB, but {bound / 1e9:0.0} GB are {(given ? "allowed" : "free")}"
            ),
            given ? "--memory" : null,
            batch > 1 ? "Use a smaller --batch, or a smaller picture"
                : given ? "Allow more, or use a smaller picture"
                : "Close other programs, or use a smaller picture"
        );
}
