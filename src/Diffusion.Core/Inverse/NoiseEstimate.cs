using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>The noise of a measurement, estimated from itself.</summary>
/// <param name="Sigma">Standard deviation, on the scale of the measurement.</param>
public sealed record NoiseEstimate(double Sigma)
{
    private const int Block = 16;

    /// <summary>
    /// Estimates the noise of a measurement that looks like a picture: of identity, blur, downsampling, grey, the known pixels of a
    /// mask, and the mosaics of colour sensors; of others from values that see nothing of the picture, as rays beside it.
    /// </summary>
    /// <remarks>
    /// Immerkaer's difference of Laplacians (1996), the 3x3 filter (1 -2 1) x (1 -2 1) / 6, removes everything that is smooth and keeps the
    /// noise's variance. Texture passes it, so the result is taken from
    /// the quietest fifth of the 16 x 16 blocks, corrected for what a quantile of pure noise is too low. Where too few pixels are whole
    /// windows, second differences of three known neighbours are used.
    /// </remarks>
    /// <param name="y">[N, Output] on [0,1]; borrowed.</param>
    /// <param name="a">The operator that made it.</param>
    /// <returns>The estimate; null where the measurement is no picture or too little of one, and a number has to be given.</returns>
    public static NoiseEstimate? From(Tensor y, LinearOperator a)
    {
        using ComputeScope scope = new();
        if (!a.Output.IsImage)
            return FromBlindValues(y, a);
        if (a.Traits.Mosaic is { } mosaic)
            return MosaicNoise.From(y, mosaic.Side, mosaic.ColorAt) is { } found ? new(found) : null;
        if (!KeepsSmooth(a))
            return null;
        Tensor known = a.Restrict(torch.ones(a.Output.Batch(1), device: y.device)).gt(0.5).expand(y.shape);
        // Values at the ends of the scale may have been clipped, which hides noise.
        Tensor usable = known.logical_and(y.gt(1e-4)).logical_and(y.lt(1 - 1e-4)).to(y.dtype);
        return FromBlocks(y, usable) ?? FromDifferences(y, usable);
    }

    // Values that see nothing of the picture, like rays that pass beside it, are noise and nothing else.
    private static NoiseEstimate? FromBlindValues(Tensor y, LinearOperator a)
    {
        const int Fewest = 200;
        Tensor flat = torch.ones(a.Input.Batch(1), device: a.Device),
            wave = torch.arange(a.Input.Count, device: a.Device).to(ScalarType.Float32).mul(0.7f).cos().reshape(a.Input.Batch(1)),
            measured = a.Restrict(torch.ones(a.Output.Batch(1), device: a.Device)),
            blind = a.Apply(flat).eq(0).logical_and(a.Apply(wave).eq(0)).logical_and(measured.gt(0.5)).expand(y.shape),
            values = y.masked_select(blind);
        return values.shape[0] < Fewest ? null : new NoiseEstimate(Math.Sqrt(values.square().mean().item<float>()));
    }

    private static NoiseEstimate? FromBlocks(Tensor y, Tensor usable)
    {
        (long h, long w) = (y.shape[2], y.shape[3]);
        if (h < Block + 2 || w < Block + 2)
            return null;
        Tensor squares = Filter(y).square(),
            whole = Window(usable);
        // A block counts when three quarters of its windows do; all channels of a block are pooled.
        Tensor count = Blocks(whole).sum(1),
            mean = Blocks(squares * whole).sum(1) / count.clamp_min(1e-6);
        double[] quiet = [.. mean.masked_select(count.gt(0.75 * y.shape[1])).sort().Values.data<float>().Select(v => Math.Sqrt(v))];
        if (quiet.Length < 5)
            return null;
        // The filter's output is correlated: 256 values are worth 256 / 3.78, so the root mean square of a block scatters by 8.6 %.
        const double Fifth = -0.8416,
            Scatter = 0.086;
        double correction = 1 + Fifth * Scatter / Math.Sqrt(y.shape[1]);
        return new NoiseEstimate(quiet[quiet.Length / 5] / correction);
    }

    private static NoiseEstimate? FromDifferences(Tensor y, Tensor usable)
    {
        List<float> found = [];
        foreach (int dim in (int[])[2, 3])
        {
            if (y.shape[dim] < 3)
                continue;
            long n = y.shape[dim] - 2;
            Tensor second = (y.narrow(dim, 0, n) - 2 * y.narrow(dim, 1, n) + y.narrow(dim, 2, n)) / Math.Sqrt(6);
            Tensor all = usable.narrow(dim, 0, n) * usable.narrow(dim, 1, n) * usable.narrow(dim, 2, n);
            found.AddRange(second.abs().masked_select(all.gt(0.5)).data<float>());
        }
        const int Fewest = 200;
        if (found.Count < Fewest)
            return null;
        found.Sort();
        // The lower quartile of |n| is 0.3186 sigma; below it texture matters least.
        return new NoiseEstimate(found[found.Count / 4] / 0.3186);
    }

    // A picture of one colour must stay smooth: the mosaic of a Bayer sensor does not.
    internal static bool KeepsSmooth(LinearOperator a)
    {
        if (!a.Output.IsImage || a.Output.Image is not { Height: >= 3, Width: >= 3 })
            return false;
        using ComputeScope scope = new();
        Tensor colour = (torch.arange(a.Input.Channels, device: a.Device).to(ScalarType.Float32) * 0.7f + 0.2f)
            .square()
            .reshape(1, -1, 1, 1)
            .expand(a.Input.Batch(1))
            .contiguous();
        Tensor usable = a.Restrict(torch.ones(a.Output.Batch(1), device: a.Device)).gt(0.5).to(ScalarType.Float32);
        return (Filter(a.Apply(colour)) * Window(usable)).abs().median().item<float>() < 1e-3;
    }

    internal static Tensor Filter(Tensor y)
    {
        Tensor line = torch.tensor([1f, -2f, 1f], device: y.device);
        return torch.nn.functional.conv2d(y, torch.outer(line, line).div(6).expand(y.shape[1], 1, 3, 3), groups: y.shape[1]);
    }

    // 1 where all nine pixels are usable.
    internal static Tensor Window(Tensor usable) => 1 - torch.nn.functional.max_pool2d(1 - usable, 3, stride: 1);

    private static Tensor Blocks(Tensor t) => torch.nn.functional.avg_pool2d(t, Block);
}
