using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// Computes large pictures in overlapping tiles that are blended where they overlap. Where the inner denoiser is an <see
/// cref="IVpNetwork"/>, so is this one.
/// </summary>
/// <remarks>
/// With a finite receptive field the pixels that depend on what was cut off count nothing, and the result is that of the whole picture.
/// Otherwise tiles see different statistics, and the overlap hides the seams.
/// </remarks>
public class TiledDenoiser : IDenoiser
{
    private readonly IDenoiser _inner;
    private readonly int _tile,
        _overlap,
        _margin,
        _batch;

    private TiledDenoiser(IDenoiser inner, int tile, int? overlap, int batch)
    {
        PriorInfo info = inner.Info;
        int multiple = info.SizeMultiple;
        _inner = inner;
        _margin = info.ReceptiveField is { } field ? Up(field / 2) : 0;
        _overlap = Up(Math.Max(overlap ?? (_margin > 0 ? 0 : tile / 4), _margin > 0 ? 2 * _margin + multiple : 0));
        _tile = Up(tile);
        _batch = batch;
        if (tile < 1 || batch < 1 || overlap < 0)
            throw new ArgumentException($"Tiles of {tile} pixels with an overlap of {overlap}, {batch} at a time, are impossible.");
        if (_tile < 2 * _overlap)
            throw new ArgumentException(
                $"Tiles of {_tile} pixels are too small for an overlap of {_overlap}. Use tiles of at least {2 * _overlap}."
            );

        int Up(int size) => (size + multiple - 1) / multiple * multiple;
    }

    /// <summary>Computes pictures of <paramref name="inner"/>, which stays the caller's, in tiles.</summary>
    /// <param name="inner">The denoiser.</param>
    /// <param name="tile">Side of a tile in pixels, rounded up to the network's stride. Smaller pictures are computed whole.</param>
    /// <param name="overlap">Pixels that neighbours share; null: what the receptive field needs, or a quarter of the tile.</param>
    /// <param name="batch">Tiles computed at a time.</param>
    public static TiledDenoiser Around(IDenoiser inner, int tile, int? overlap = null, int batch = 1) =>
        inner is IVpNetwork network ? new Vp(inner, network, tile, overlap, batch) : new TiledDenoiser(inner, tile, overlap, batch);

    /// <inheritdoc/>
    public PriorInfo Info => _inner.Info with { TilesBeyond = null };

    /// <summary>Number of tiles of a picture.</summary>
    public int Tiles(int height, int width) => Cut(height).Length * Cut(width).Length;

    /// <summary>Pixels of a picture's tiles together: more than its own, since they overlap.</summary>
    public long Pixels(int height, int width) => Cut(height).Sum(row => (long)row.Length) * Cut(width).Sum(column => (long)column.Length);

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        Condition given = condition;
        return Blend(x, given, (tiles, labels) => [_inner.Denoise(tiles, sigma, labels)])[0]!;
    }

    /// <summary>Does nothing: the inner denoiser is borrowed.</summary>
    public void Dispose() => GC.SuppressFinalize(this);

    private TileSpan[] Cut(int length) => TileSpan.Cut(length, _tile, _overlap, _margin, _inner.Info.SizeMultiple);

    private Tensor?[] Blend(Tensor x, Condition condition, Func<Tensor, Condition, Tensor?[]> compute)
    {
        (TileSpan[] rows, TileSpan[] columns) = (Cut((int)x.shape[2]), Cut((int)x.shape[3]));
        if (rows.Length * columns.Length == 1)
            return compute(x, condition);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor total = torch.zeros([1, 1, x.shape[2], x.shape[3]], ScalarType.Float32, x.device);
        Tensor?[]? sums = null;
        // Tiles at the right and the bottom may be smaller: only equal ones can be computed together.
        foreach (
            var equal in rows.SelectMany(row => columns.Select(column => (Row: row, Column: column)))
                .GroupBy(tile => (tile.Row.Length, tile.Column.Length))
        )
        {
            foreach ((TileSpan Row, TileSpan Column)[] tiles in equal.Chunk(_batch))
            {
                using DisposeScope inner = torch.NewDisposeScope();
                Tensor input = torch.cat([.. tiles.Select(tile => Part(x, tile.Row, tile.Column))]);
                Tensor?[] outputs = compute(
                    input,
                    condition with
                    {
                        Labels = condition.Labels is { } labels ? [.. tiles.SelectMany(_ => labels)] : null,
                    }
                );
                sums ??=
                [
                    .. outputs.Select(output =>
                        output is null
                            ? null
                            : torch
                                .zeros([x.shape[0], output.shape[1], x.shape[2], x.shape[3]], ScalarType.Float32, x.device)
                                .MoveToOuterDisposeScope()
                    ),
                ];
                for (int i = 0; i < tiles.Length; i++)
                {
                    (TileSpan row, TileSpan column) = tiles[i];
                    Tensor weight =
                        torch.tensor(row.Weights, device: x.device).reshape(1, 1, -1, 1) * torch.tensor(column.Weights, device: x.device);
                    Part(total, row, column).add_(weight);
                    foreach ((Tensor? sum, Tensor? output) in sums.Zip(outputs))
                        if (sum is not null && output is not null)
                            Part(sum, row, column).add_(output.narrow(0, i * x.shape[0], x.shape[0]) * weight);
                }
            }
        }
        return [.. sums!.Select(sum => sum is null ? null : (sum / total).MoveToOuterDisposeScope())];
    }

    private static Tensor Part(Tensor x, TileSpan row, TileSpan column) =>
        x.narrow(2, row.Start, row.Length).narrow(3, column.Start, column.Length);

    private sealed class Vp(IDenoiser inner, IVpNetwork network, int tile, int? overlap, int batch)
        : TiledDenoiser(inner, tile, overlap, batch),
            IVpNetwork
    {
        public NoiseSchedule Schedule => network.Schedule;

        public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
        {
            Tensor?[] result = Blend(xt, condition, (tiles, given) =>
            {
                (Tensor epsilon, Tensor? variance) = network.Predict(tiles, t, given);
                return [epsilon, variance];
            });
            return (result[0]!, result[1]);
        }
    }
}
