using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>What a block of a measurement says of its noise.</summary>
/// <param name="Mean">The mean of its values.</param>
/// <param name="Variance">The mean variance of its values, with what its texture adds.</param>
internal readonly record struct BlockNoise(double Mean, double Variance);

/// <summary>The noise of a colour sensor's mosaic, of pixels of equal colour.</summary>
internal static class MosaicNoise
{
    private const int Block = 16;

    /// <summary>One of how many blocks is smooth: more would count texture of photographs, fewer would scatter.</summary>
    public const int Quietest = 12;

    /// <summary>
    /// Mixed differences y(p) - y(p + a) - y(p + b) + y(p + a + b) over the smallest parallelograms of one colour, which remove slopes:
    /// their
    /// root mean square in the quietest blocks, relative to what pure noise of unit strength gives there.
    /// </summary>
    /// <param name="y">[N,1,H,W] on [0,1]; borrowed.</param>
    /// <param name="side">Rows and columns of the block that repeats.</param>
    /// <param name="colorAt">The colour at a row and column.</param>
    /// <returns>The standard deviation; null of too small mosaics.</returns>
    public static double? From(Tensor y, int side, Func<int, int, int> colorAt)
    {
        double[] Quiet(BlockNoise[] blocks) => [.. blocks.Select(block => Math.Sqrt(block.Variance)).Order()];
        double[] found = Quiet(Blocks(y, side, colorAt, fewest: 0.5)),
            unit = Quiet(PureBlocks(y, side, colorAt));
        return found.Length < 5 || unit.Length < 5 ? null : found[found.Length / Quietest] / unit[unit.Length / Quietest];
    }

    /// <summary>Means and variances of the mosaic's blocks, texture included; none of too small mosaics.</summary>
    /// <param name="y">[N,1,H,W] on [0,1]; borrowed.</param>
    /// <param name="side">Rows and columns of the block that repeats.</param>
    /// <param name="colorAt">The colour at a row and column.</param>
    /// <param name="fewest">The share of a block's differences that must be free of clipped values.</param>
    public static BlockNoise[] Blocks(Tensor y, int side, Func<int, int, int> colorAt, double fewest)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        if (y.shape[2] < 3 * Block || y.shape[3] < 3 * Block)
            return [];
        ((int Down, int Right) a, (int Down, int Right) b, bool[,] places) = Smallest(side, colorAt);
        int low = Math.Min(0, b.Right),
            down = a.Down + b.Down,
            right = Math.Max(a.Right, Math.Max(b.Right, a.Right + b.Right));
        (long height, long width) = (y.shape[2] - down, y.shape[3] - right + low);
        Tensor At(Tensor t, int row, int column) => t.narrow(2, row, height).narrow(3, column - low, width);
        Tensor Four(Tensor t, Func<Tensor, Tensor, Tensor, Tensor, Tensor> join) =>
            join(At(t, 0, 0), At(t, a.Down, a.Right), At(t, b.Down, b.Right), At(t, down, a.Right + b.Right));
        float[] block = [.. places.Cast<bool>().Select(place => place ? 1f : 0f)];
        Tensor here = torch
            .tensor(block)
            .reshape(side, side)
            .to(y.device)
            .repeat(y.shape[2] / side + 1, y.shape[3] / side + 1)
            .narrow(0, 0, height)
            .narrow(1, -low, width);
        // Values at the ends of the scale may have been clipped, which hides noise.
        Tensor usable = y.gt(1e-4).logical_and(y.lt(1 - 1e-4)).to(y.dtype),
            counted = here * Four(usable, (p, q, r, s) => p * q * r * s);
        Tensor count = Pool(counted),
            mean = Pool(counted * Four(y, (p, q, r, s) => p + q + r + s) / 4) / count.clamp_min(1e-6),
            variance = Pool(counted * Four(y, (p, q, r, s) => p - q - r + s).square() / 4) / count.clamp_min(1e-6),
            good = count.gt(fewest * Pool(here.expand_as(counted)));
        return
        [
            .. mean.masked_select(good)
                .data<float>()
                .Zip(variance.masked_select(good).data<float>(), (m, v) => new BlockNoise(m, v))
                .OrderBy(found => found.Mean),
        ];

        static Tensor Pool(Tensor t) => torch.nn.functional.avg_pool2d(t, Block);
    }

    /// <summary>The blocks of a mosaic of this size that is noise of unit strength and nothing else.</summary>
    public static BlockNoise[] PureBlocks(Tensor y, int side, Func<int, int, int> colorAt)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor noise = new PhiloxNoise(0, [ImageKey.FromName("mosaic")])
            .Draw(NoiseRole.Measurement, 1, 1, y.shape[2], y.shape[3])
            .to(y.device);
        // On [0,1], where nothing is clipped.
        const double Scale = 0.01;
        return [.. Blocks(0.5 + Scale * noise, side, colorAt, 0).Select(block => block with { Variance = block.Variance / Scale / Scale })];
    }

    // The sides of the smallest parallelogram whose corners have one colour, and the places of the block where it does.
    private static ((int Down, int Right) A, (int Down, int Right) B, bool[,] Places) Smallest(int side, Func<int, int, int> colorAt)
    {
        (int Down, int Right)[] steps =
        [
            .. from down in Enumerable.Range(0, side + 1) from right in Enumerable.Range(-side, 2 * side + 1) select (down, right),
        ];
        var pairs =
            from a in steps.Where(step => step.Right > 0)
            from b in steps
            where a.Down * b.Right != a.Right * b.Down
            orderby a.Down * a.Down + a.Right * a.Right + b.Down * b.Down + b.Right * b.Right
            select (a, b);
        int Color(int row, int column) => colorAt(row % side, (column + 2 * side) % side);
        foreach (((int Down, int Right) a, (int Down, int Right) b) in pairs)
        {
            bool[,] places = new bool[side, side];
            for (int row = 0; row < side; row++)
            for (int column = 0; column < side; column++)
            {
                int color = Color(row, column);
                places[row, column] =
                    Color(row + a.Down, column + a.Right) == color
                    && Color(row + b.Down, column + b.Right) == color
                    && Color(row + a.Down + b.Down, column + a.Right + b.Right) == color;
            }
            if (places.Cast<bool>().Any(place => place))
                return (a, b, places);
        }
        throw new ArgumentException("The block has no two lines of equal pixels.", nameof(colorAt)); // It repeats by its side.
    }
}
