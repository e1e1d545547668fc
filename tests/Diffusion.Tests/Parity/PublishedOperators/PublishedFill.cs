namespace Diffusion.Tests.Parity;

/// <summary>How published code fills missing pixels.</summary>
internal static class PublishedFill
{
    /// <summary>
    /// The fill of DiffPIR's and RDMD's code: each missing pixel is the inverse-distance-weighted mean (Shepard 1968) of the known pixels
    /// at offsets -floor(window/2) .. floor(window/2) - 1 in both directions;
    /// 0 where there are none. As there, the picture's last row and column are never neighbours.
    /// </summary>
    /// <param name="y">The measurement, [N,C,H,W].</param>
    /// <param name="mask">Nonzero = known.</param>
    /// <param name="window">Side length of the window.</param>
    /// <param name="power">Weights are 1 / (|dy|^power + |dx|^power).</param>
    public static Tensor Shepard(Tensor y, Tensor mask, int window = 9, int power = 2)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        int wing = window / 2;
        Tensor known = mask.ne(0).expand(y.shape).to(y.dtype),
            sum = torch.zeros_like(y),
            weights = torch.zeros_like(y);
        Tensor Pad(Tensor t) => torch.nn.functional.pad(t, [(long)wing, wing, wing, wing], PaddingModes.Constant, 0);
        Tensor neighbour = known.clone();
        neighbour.narrow(2, y.shape[2] - 1, 1).zero_();
        neighbour.narrow(3, y.shape[3] - 1, 1).zero_();
        Tensor paddedY = Pad(y * neighbour),
            paddedKnown = Pad(neighbour);
        for (int dy = -wing; dy < wing; dy++)
        {
            for (int dx = -wing; dx < wing; dx++)
            {
                if (dy == 0 && dx == 0)
                    continue;
                using DisposeScope step = torch.NewDisposeScope();
                double weight = 1 / (Math.Pow(Math.Abs(dy), power) + Math.Pow(Math.Abs(dx), power));
                sum.add_(paddedY.narrow(2, wing + dy, y.shape[2]).narrow(3, wing + dx, y.shape[3]) * weight);
                weights.add_(paddedKnown.narrow(2, wing + dy, y.shape[2]).narrow(3, wing + dx, y.shape[3]) * weight);
            }
        }
        Tensor filled = torch.where(weights.gt(0), sum / weights.clamp_min(1e-30), torch.zeros_like(y));
        return torch.where(known.gt(0), y, filled).MoveToOuterDisposeScope();
    }
}
