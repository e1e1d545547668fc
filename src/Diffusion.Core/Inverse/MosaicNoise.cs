using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>The noise of a colour sensor's mosaic, of pixels of equal colour.</summary>
internal static class MosaicNoise
{
    // Of photographs' mosaics a twelfth of the blocks is smooth; more would count texture, fewer would scatter.
    private const int Block = 16,
        Quietest = 12;

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
        using DisposeScope scope = torch.NewDisposeScope();
        (int height, int width) = ((int)y.shape[2], (int)y.shape[3]);
        if (height < 3 * Block || width < 3 * Block)
            return null;
        // Values at the ends of the scale may have been clipped, which hides noise.
        Tensor usable = y.gt(1e-4).logical_and(y.lt(1 - 1e-4)).to(y.dtype),
            noise = new PhiloxNoise(0, [ImageKey.FromName("mosaic")]).Draw(NoiseRole.Measurement, 1, 1, height, width).to(y.device);
        return Quiet(y, usable, side, colorAt) is { } found && Quiet(noise, torch.ones_like(noise), side, colorAt) is { } unit and > 0
            ? found / unit
            : null;
    }

    private static double? Quiet(Tensor y, Tensor usable, int side, Func<int, int, int> colorAt)
    {
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
        Tensor counted = here * Four(usable, (p, q, r, s) => p * q * r * s),
            squares = counted * Four(y, (p, q, r, s) => p - q - r + s).square() / 4;
        Tensor count = torch.nn.functional.avg_pool2d(counted, Block),
            mean = torch.nn.functional.avg_pool2d(squares, Block) / count.clamp_min(1e-6);
        double[] quiet = [.. mean.masked_select(count.gt(0.5 * count.max())).sort().Values.data<float>().Select(v => Math.Sqrt(v))];
        return quiet.Length < 5 ? null : quiet[quiet.Length / Quietest];
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
