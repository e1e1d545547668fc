namespace Diffusion.Networks;

/// <summary>
/// Means over windows in place of the mean over the picture, so that a network that was trained on crops sees in a large picture what it
/// saw
/// in them: Chu et al., "Improving Image Restoration by Revisiting Global Information Aggregation" (2022).
/// </summary>
internal static class LocalMean
{
    /// <summary>Means around every pixel; near the border those of the nearest window that lies inside.</summary>
    /// <param name="x">[N,C,H,W], borrowed.</param>
    /// <param name="window">Height and width of the windows; null: the whole picture.</param>
    /// <returns>[N,C,H,W], or [N,C,1,1] where the window covers the picture; the caller owns it.</returns>
    public static Tensor Of(Tensor x, (int Height, int Width)? window)
    {
        (long height, long width) = (x.shape[2], x.shape[3]);
        if (window is not var (rows, columns) || rows >= height && columns >= width)
            return x.mean([2L, 3], keepdim: true, type: x.dtype);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor means = Along(Along(x, 3, Math.Min(columns, width)), 2, Math.Min(rows, height));
        long right = width - means.shape[3],
            bottom = height - means.shape[2];
        return torch
            .nn.functional.pad(means, [right / 2, right - right / 2, bottom / 2, bottom - bottom / 2], PaddingModes.Replicate)
            .to(x.dtype)
            .MoveToOuterDisposeScope();
    }

    // Differences of running sums, which float32 would round by the size of the whole sum.
    private static Tensor Along(Tensor x, int dimension, long window)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long count = x.shape[dimension] - window + 1;
        Tensor sums = x.cumsum(dimension, ScalarType.Float64),
            ends = sums.narrow(dimension, window - 1, count).clone();
        if (count > 1)
            ends.narrow(dimension, 1, count - 1).sub_(sums.narrow(dimension, 0, count - 1));
        return (ends / window).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
