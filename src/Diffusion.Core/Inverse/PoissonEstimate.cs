using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>Noise that grows with the signal, estimated from a measurement.</summary>
/// <remarks>
/// After Foi, Trimeche, Katkovnik and Egiazarian (IEEE Transactions on Image Processing 2008): the local variance of what is smooth, as a
/// function of the local mean, is a line. Each 8 x 8 block gives a mean and, by the filter of <see cref="NoiseEstimate"/>, a variance,
/// which
/// texture makes too large in most of them. Blocks of like brightness are put together, of each group the quietest fifth tells the
/// variance, corrected for what this quantile of pure noise is too low, and the line is fitted to the groups with the precision that each
/// has. In mosaics the blocks' variances are those of <see cref="MosaicNoise"/>. Blocks where values end at the scale's ends are left out:
/// they hide noise.
/// </remarks>
public static class PoissonEstimate
{
    // A few dark pixels of few photons are no clipping.
    private const double MostClipped = 0.1;

    private const int Block = 8,
        GroupSize = 32,
        MostGroups = 24;

    // The filter's output is correlated: 64 values are worth 64 / 3.78, and the sum of their squares is of a gamma distribution of half so
    // many degrees, whose quantile is Wilson's and Hilferty's.
    private const double Shape = 64 / 3.78 / 2,
        Fifth = -0.8416;

    /// <summary>The noise.</summary>
    /// <param name="y">[N, Output] on [0,1]; borrowed.</param>
    /// <param name="a">The operator that made it.</param>
    /// <returns>
    /// null where the measurement is no picture, or too little of one. Without a gain where the variance does not grow.
    /// </returns>
    public static NoiseModel? From(Tensor y, LinearOperator a)
    {
        using ComputeScope scope = new();
        (BlockNoise[] blocks, int quietest, double tooLow) = Blocks(y, a);
        if (blocks.Length < 3 * GroupSize)
            return null;
        int groups = Math.Min(MostGroups, blocks.Length / GroupSize);
        BlockNoise[][] brightness =
        [
            .. Enumerable.Range(0, groups).Select(i => blocks[(blocks.Length * i / groups)..(blocks.Length * (i + 1) / groups)]),
        ];
        // Within a group the darkest blocks are the quietest: what counts is a block's variance in units of the line's.
        NoiseModel line = new(Math.Sqrt(blocks.Select(block => block.Variance).Order().ElementAt(blocks.Length / quietest)));
        const int Rounds = 8;
        for (int i = 0; i < Rounds; i++)
        {
            NoiseModel last = line;
            line = Fit([.. brightness.Select(group => Quiet(group, last, quietest, tooLow))], last);
        }
        return line;
    }

    // Sorted by their means; one of how many is smooth, and how much too low the variance is that this quantile of pure noise tells.
    private static (BlockNoise[] Blocks, int Quietest, double TooLow) Blocks(Tensor y, LinearOperator a)
    {
        if (a.Traits.Mosaic is { } mosaic)
        {
            BlockNoise[] found = MosaicNoise.Blocks(y, mosaic.Side, mosaic.ColorAt, 1 - MostClipped);
            double[] pure = [.. MosaicNoise.PureBlocks(y, mosaic.Side, mosaic.ColorAt).Select(block => block.Variance).Order()];
            return pure.Length < 3 * GroupSize ? ([], 1, 1) : (found, MosaicNoise.Quietest, pure[pure.Length / MosaicNoise.Quietest]);
        }
        return NoiseEstimate.KeepsSmooth(a) && y.shape[2] >= Block + 2 && y.shape[3] >= Block + 2
            ? (PictureBlocks(y, a), 5, Math.Pow(1 - 1 / (9 * Shape) + Fifth / Math.Sqrt(9 * Shape), 3))
            : ([], 1, 1);
    }

    private static BlockNoise[] PictureBlocks(Tensor y, LinearOperator a)
    {
        Tensor known = a.Restrict(torch.ones(a.Output.Batch(1), device: y.device)).gt(0.5).expand(y.shape);
        Tensor ends = y.lt(1e-4).logical_or(y.gt(1 - 1e-4)).to(y.dtype),
            whole = NoiseEstimate.Window(known.to(y.dtype));
        Tensor inner = y.narrow(2, 1, y.shape[2] - 2).narrow(3, 1, y.shape[3] - 2),
            clipped = ends.narrow(2, 1, y.shape[2] - 2).narrow(3, 1, y.shape[3] - 2);
        Tensor count = Pool(whole),
            mean = Pool(inner * whole) / count.clamp_min(1e-6),
            variance = Pool(NoiseEstimate.Filter(y).square() * whole) / count.clamp_min(1e-6);
        Tensor good = count.gt(0.99).logical_and(Pool(clipped).lt(MostClipped)).logical_and(variance.gt(0));
        return
        [
            .. mean.masked_select(good)
                .data<float>()
                .Zip(variance.masked_select(good).data<float>(), (m, v) => new BlockNoise(m, v))
                .OrderBy(block => block.Mean),
        ];

        static Tensor Pool(Tensor t) => torch.nn.functional.avg_pool2d(t, Block);
    }

    private static BlockNoise Quiet(BlockNoise[] group, NoiseModel line, int quietest, double tooLow)
    {
        double[] ratios = [.. group.Select(block => block.Variance / Variance(line, block.Mean)).Order()];
        double mean = group.Average(block => block.Mean);
        return new(mean, ratios[ratios.Length / quietest] / tooLow * Variance(line, mean));
    }

    private static double Variance(NoiseModel line, double mean) =>
        Math.Max(line.Gain * Math.Max(mean, 0) + line.Sigma * line.Sigma, 1e-12);

    // Least squares of the errors relative to the last line, and once more without what lies far above: bright texture.
    private static NoiseModel Fit(IReadOnlyList<BlockNoise> groups, NoiseModel last)
    {
        NoiseModel line = Line(groups, last);
        BlockNoise[] near = [.. groups.Where(group => group.Variance < 1.5 * Variance(line, group.Mean))];
        return near.Length < 3 ? line : Line(near, last);
    }

    // Neither of its parts is negative.
    private static NoiseModel Line(IReadOnlyList<BlockNoise> groups, NoiseModel last)
    {
        double w = 0,
            m = 0,
            v = 0,
            mm = 0,
            mv = 0;
        foreach ((double mean, double variance) in groups)
        {
            double weight = Math.Pow(Variance(last, mean), -2);
            w += weight;
            m += weight * mean;
            v += weight * variance;
            mm += weight * mean * mean;
            mv += weight * mean * variance;
        }
        double determinant = w * mm - m * m,
            gain = determinant > 1e-9 * w * mm ? (w * mv - m * v) / determinant : 0,
            dark = (v - gain * m) / w;
        return gain <= 0 ? new(Math.Sqrt(v / w))
            : dark < 0 ? new(0, mv / mm)
            : new(Math.Sqrt(dark), gain);
    }
}
