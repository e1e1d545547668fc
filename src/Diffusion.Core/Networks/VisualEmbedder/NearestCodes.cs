namespace Diffusion.Networks;

/// <summary>The nearest code of every position of a picture's latent, and the tokens that are made of them.</summary>
/// <remarks>
/// d[p,c] = |z_p|^2 + |e_c|^2 - 2 z_p e_c. Positions are counted row by row. The tensors are owned by this.
/// </remarks>
public sealed class NearestCodes : IDisposable
{
    /// <summary>Base of the published table of positions.</summary>
    public const double PositionBase = 1000;

    private readonly Tensor _codes;

    private NearestCodes(Tensor codes, Tensor distances, Tensor nearest, Tensor order) =>
        (_codes, Distances, Codes, Order) = (codes, distances, nearest, order);

    /// <summary>[1,P] squared distance of each position to its nearest code.</summary>
    public Tensor Distances { get; }

    /// <summary>[1,P] int64: the nearest code of each position.</summary>
    public Tensor Codes { get; }

    /// <summary>[1,P] int64: the positions by ascending distance.</summary>
    public Tensor Order { get; }

    /// <summary>Finds them.</summary>
    /// <param name="z">[1,E,h,w] float32, borrowed.</param>
    /// <param name="codes">[K,E] float32, borrowed; must outlive the result.</param>
    public static NearestCodes Of(Tensor z, Tensor codes)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor distances, Tensor nearest) = DistancesOf(z, codes).min(1);
        Tensor order = distances.argsort(-1);
        return new(codes, Kept(distances), Kept(nearest), Kept(order));

        static Tensor Kept(Tensor positions) => positions.unsqueeze(0).DetachFromDisposeScope();
    }

    /// <summary>The distinct codes in the order of their nearest position, at most so many.</summary>
    public long[] Selected(int count)
    {
        long[] order = Order.cpu().data<long>().ToArray(),
            codes = Codes.cpu().data<long>().ToArray();
        return [.. order.Select(position => codes[position]).Distinct().Take(count)];
    }

    /// <summary>The distinct codes as tokens; zeros where there are fewer.</summary>
    /// <returns>[1,count,E]; the caller owns it.</returns>
    public Tensor Distinct(int count)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long[] selected = Selected(count);
        Tensor tokens = torch.zeros([1, count, _codes.shape[1]], _codes.dtype, _codes.device);
        tokens.narrow(1, 0, selected.Length).copy_(_codes.index_select(0, torch.tensor(selected, device: _codes.device)).unsqueeze(0));
        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The codes of the nearest positions, with duplicates: a variant of the published code that no released weights use.
    /// </summary>
    /// <param name="count">Number of tokens.</param>
    /// <param name="positions">[P,E] added to each token by its position, borrowed; or null.</param>
    /// <returns>[1,count,E]; the caller owns it.</returns>
    public Tensor WithDuplicates(int count, Tensor? positions = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor first = Order[0].narrow(0, 0, Math.Min(count, Order.shape[1]));
        Tensor tokens = _codes.index_select(0, Codes[0].index_select(0, first));
        if (positions is not null)
            tokens = tokens + positions.index_select(0, first);
        return tokens.unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of twice the width, of which there are half as many: token i beside token i + n/2.</summary>
    /// <param name="tokens">[1,n,E], borrowed.</param>
    /// <returns>[1,n/2,2E]; the caller owns it.</returns>
    public static Tensor Doubled(Tensor tokens)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return torch.cat(tokens.chunk(2, dim: 1), dim: -1).MoveToOuterDisposeScope();
    }

    /// <summary>The sum of the nearest codes at every position, as the published quantiser gives it before pooling.</summary>
    /// <param name="z">[1,E,h,w], borrowed.</param>
    /// <param name="codes">[K,E], borrowed.</param>
    /// <param name="count">Number of codes that are summed.</param>
    /// <param name="positions">[P,E] added by position, borrowed; or null.</param>
    /// <returns>[1,E,h,w]; the caller owns it.</returns>
    public static Tensor SumOfNearest(Tensor z, Tensor codes, int count, Tensor? positions = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (_, Tensor nearest) = DistancesOf(z, codes).topk((int)Math.Min(count, codes.shape[0]), dim: 1, largest: false);
        Tensor chosen = torch
            .zeros([nearest.shape[0], codes.shape[0]], codes.dtype, codes.device)
            .scatter(1, nearest, torch.ones_like(nearest, codes.dtype));
        Tensor sum = torch.matmul(chosen, codes);
        if (positions is not null)
            sum = sum + positions.narrow(0, 0, sum.shape[0]);
        return sum.view(1, z.shape[2], z.shape[3], codes.shape[1]).permute(0, 3, 1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The published table of positions of a square: waves of the row, then waves of the column.</summary>
    /// <param name="side">Positions in a row.</param>
    /// <param name="width">E, a multiple of 4.</param>
    /// <param name="period">The base of the frequencies.</param>
    /// <returns>[side side,E] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The width is no multiple of 4.</exception>
    public static Tensor Positions(int side, int width, double period = PositionBase)
    {
        if (width % 4 != 0)
            throw new ArgumentException($"Positions of {width} channels are asked for. The channels must be a multiple of 4.");
        using DisposeScope scope = torch.NewDisposeScope();
        int half = width / 2;
        Tensor frequencies = (torch.arange(0, half, 2, dtype: ScalarType.Float64) * (-Math.Log(period) / half)).exp();
        Tensor angles = torch.arange(side, dtype: ScalarType.Float64).unsqueeze(1) * frequencies;
        Tensor waves = torch.stack([angles.sin(), angles.cos()], dim: -1).flatten(1).to(ScalarType.Float32);
        Tensor rows = waves.unsqueeze(1).expand(side, side, half),
            columns = waves.unsqueeze(0).expand(side, side, half);
        return torch.cat([rows, columns], dim: -1).reshape((long)side * side, width).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Distances.Dispose();
        Codes.Dispose();
        Order.Dispose();
    }

    private static Tensor DistancesOf(Tensor z, Tensor codes)
    {
        Tensor positions = ChannelsLast.Rows(z).reshape(-1, z.shape[1]);
        return positions.square().sum(1, keepdim: true) + codes.square().sum(1) - 2 * torch.matmul(positions, codes.t());
    }
}
