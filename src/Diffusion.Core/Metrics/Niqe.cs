using Diffusion.Imaging;

namespace Diffusion.Metrics;

/// <summary>
/// Natural image quality evaluator (Mittal, Soundararajan, Bovik 2013), in BasicSR's arithmetic but float64. Needs no reference; lower is
/// more natural.
/// </summary>
/// <remarks>
/// Distance of the picture's statistics from those of natural photographs: sqrt((m0 - m)^T pinv((S0 + S)/2) (m0 - m)), m and S over the
/// features of 96x96 blocks.
/// A block has 18 features at each of two scales, all from n = (y - mu)/(sigma + 1) with local mean and deviation. The model's parameters
/// are those of the official release.
/// </remarks>
public static class Niqe
{
    /// <summary>Side of a block. A picture needs two whole blocks.</summary>
    public const int Block = 96;

    private const int FeaturesPerScale = 18,
        Side = 7;
    private static readonly (long Rows, long Columns)[] Shifts = [(0, 1), (1, 0), (1, 1), (1, -1)];

    /// <summary>Whether a picture of this size can be measured.</summary>
    public static bool Fits(long height, long width) => height / Block * (width / Block) >= 2;

    /// <summary>Measures a picture.</summary>
    /// <param name="x">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Measure the values of an 8-bit file.</param>
    /// <exception cref="ArgumentException">Fewer than two blocks of 96x96 pixels.</exception>
    public static double Compute(Tensor x, int border = 0, bool eightBit = true)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Score(Features(Luma(x, border, eightBit)));
    }

    /// <summary>What is measured: Y of video range rounded to whole numbers, gray pictures as they are.</summary>
    /// <returns>[H,W] float64 on 0..255; the caller owns it.</returns>
    public static Tensor Luma(Tensor x, int border = 0, bool eightBit = true)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return MetricInput.Luma(MetricInput.Single(x, border, eightBit), round: true)[0].round().MoveToOuterDisposeScope();
    }

    /// <summary>The features of all blocks, column of blocks by column.</summary>
    /// <param name="y">[H,W] float64 on 0..255; borrowed.</param>
    /// <returns>[blocks,36] float64; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The picture holds fewer than two whole blocks.</exception>
    public static Tensor Features(Tensor y)
    {
        if (!Fits(y.shape[0], y.shape[1]))
            throw new ArgumentException(
                $"NIQE needs at least two whole blocks of {Block}x{Block} pixels, which {y.shape[1]}x{y.shape[0]} does not hold.",
                nameof(y)
            );
        using DisposeScope scope = torch.NewDisposeScope();
        long rows = y.shape[0] / Block,
            columns = y.shape[1] / Block;
        Tensor picture = y.narrow(0, 0, rows * Block).narrow(1, 0, columns * Block);
        Tensor half = Resize.Matlab(picture / 255, 1, 2) * 255;
        return torch.cat([ScaleFeatures(picture, rows, columns), ScaleFeatures(half, rows, columns)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>The distance of features [blocks,36] from the natural model.</summary>
    public static double Score(Tensor features)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        const int Count = 2 * FeaturesPerScale;
        double[] model = Assets.Doubles("niqe.bin");
        Tensor naturalMean = torch.tensor(model[..Count]),
            naturalCovariance = torch.tensor(model[Count..(Count + Count * Count)]).reshape(Count, Count);
        // Flat blocks have undefined features: left out of the covariance, and value by value out of the mean.
        Tensor complete = features.isnan().any(1).logical_not();
        Tensor centered = features[complete];
        long blocks = centered.shape[0];
        if (blocks < 2)
            return double.NaN;
        centered = centered - centered.mean([0], keepdim: true);
        Tensor covariance = centered.t().matmul(centered) / (blocks - 1);
        Tensor difference = naturalMean - MeanFeatures(features);
        Tensor inverse = torch.linalg.pinv((naturalCovariance + covariance) / 2, torch.tensor(0.0), torch.tensor(1e-15), hermitian: false);
        return Math.Sqrt(difference.matmul(inverse).matmul(difference).item<double>());
    }

    /// <summary>The mean over blocks of features [blocks,36], undefined values left out. The caller owns the result, [36].</summary>
    public static Tensor MeanFeatures(Tensor features)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor defined = features.isnan().logical_not().to(ScalarType.Float64);
        return (features.nan_to_num().sum([0L]) / defined.sum([0L])).MoveToOuterDisposeScope();
    }

    /// <summary>The features of one scale; one row of blocks at a time, so that the memory of large photographs stays bounded.</summary>
    private static Tensor ScaleFeatures(Tensor picture, long rows, long columns)
    {
        double[] features = new double[rows * columns * FeaturesPerScale];
        for (long row = 0; row < rows; row++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor blocks = BlockRow(picture, row, rows, columns);
            Span<double> Of(int column) => features.AsSpan((int)((column * rows + row) * FeaturesPerScale), FeaturesPerScale);
            Aggd.Fit[] own = Aggd.FitRows(blocks.flatten(1));
            for (int column = 0; column < columns; column++)
                (Of(column)[0], Of(column)[1]) = (own[column].Alpha, (own[column].Left + own[column].Right) / 2);
            for (int s = 0; s < Shifts.Length; s++)
            {
                Aggd.Fit[] products = Aggd.FitRows((blocks * blocks.roll([Shifts[s].Rows, Shifts[s].Columns], [1, 2])).flatten(1));
                for (int column = 0; column < columns; column++)
                {
                    Span<double> four = Of(column).Slice(2 + 4 * s, 4);
                    (four[0], four[1], four[2], four[3]) = (
                        products[column].Alpha,
                        products[column].Mean,
                        products[column].Left,
                        products[column].Right
                    );
                }
            }
        }
        return torch.tensor(features, [rows * columns, FeaturesPerScale]);
    }

    /// <summary>
    /// One row of blocks of n = (y - mu)/(sigma + 1), [columns,h,w]; mu and sigma under a 7x7 Gaussian window, edges of the picture
    /// replicated.
    /// </summary>
    private static Tensor BlockRow(Tensor picture, long row, long rows, long columns)
    {
        const int Halo = Side / 2;
        long height = picture.shape[0] / rows,
            width = picture.shape[1] / columns;
        (int above, int below) = (row == 0 ? 0 : Halo, row == rows - 1 ? 0 : Halo);
        Tensor strip = picture.narrow(0, row * height - above, height + above + below).reshape(1, 1, -1, picture.shape[1]);
        Tensor padded = torch.nn.functional.pad(strip, [Halo, Halo, Halo - above, Halo - below], PaddingModes.Replicate);
        Tensor window = torch.tensor(Assets.Doubles("niqe.bin")[^(Side * Side)..]).reshape(1, 1, Side, Side);
        Tensor Blur(Tensor x) => torch.nn.functional.conv2d(x, window)[0, 0];
        Tensor mu = Blur(padded),
            sigma = (Blur(padded.square()) - mu.square()).abs().sqrt();
        Tensor normalized = (picture.narrow(0, row * height, height) - mu) / (sigma + 1);
        return normalized.reshape(height, columns, width).permute(1, 0, 2);
    }
}
