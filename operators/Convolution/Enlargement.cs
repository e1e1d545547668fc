using Diffusion.Imaging;

namespace Diffusion.Operators;

/// <summary>Bicubic interpolation (Keys, a = -0.5) of a reduced picture on the grid that an operator reduced it from.</summary>
internal static class Enlargement
{
    /// <summary>Enlarges by <paramref name="factor"/>; the edge pixels are continued.</summary>
    /// <param name="y">[N,C,h,w].</param>
    /// <param name="factor">f.</param>
    /// <param name="first">Where pixel 0 of <paramref name="y"/> lies on the large grid; (f-1)/2 for MATLAB's convention.</param>
    public static Tensor Bicubic(Tensor y, int factor, double first)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Direction(Direction(y, 2, factor, first), 3, factor, first).MoveToOuterDisposeScope();
    }

    private static Tensor Direction(Tensor y, int dim, int factor, double first)
    {
        int m = (int)y.shape[dim],
            n = m * factor;
        Tensor? sum = null;
        for (int tap = -1; tap <= 2; tap++)
        {
            long[] index = new long[n];
            float[] weights = new float[n];
            for (int i = 0; i < n; i++)
            {
                double u = (i - first) / factor;
                int j = (int)Math.Floor(u) + tap;
                index[i] = Math.Clamp(j, 0, m - 1);
                weights[i] = (float)ResampleKernel.Bicubic.Weight(u - j);
            }
            Tensor weight = torch.tensor(weights, device: y.device).reshape(dim == 2 ? [n, 1L] : [(long)n]);
            Tensor term = y.index_select(dim, torch.tensor(index, device: y.device)).mul_(weight);
            sum = sum is null ? term : sum.add_(term);
        }
        return sum!;
    }
}
