using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>
/// What a degradation looks like, in numbers: correlations of the change with itself at distances, across and along; energies in octaves;
/// correlations of its colours; skewness and kurtosis; and how it goes with the light, the edges and the place in the picture.
/// </summary>
/// <remarks>Most numbers don't depend on how strong the change is.</remarks>
public static class ChangeFeatures
{
    private static readonly int[] Distances = [1, 2, 4, 8];
    private const int Octaves = 4;

    /// <summary>The numbers of a pair.</summary>
    /// <param name="degraded">[1,3,H,W] on [0,1], sides of at least 32; borrowed.</param>
    /// <param name="clean">The same shape; borrowed.</param>
    public static IReadOnlyList<double> Of(Tensor degraded, Tensor clean)
    {
        using ComputeScope scope = new();
        Tensor change = degraded - clean,
            luma = Color.ToLuma(change),
            light = Color.ToLuma(clean);
        List<double> numbers = [];
        foreach (int d in Distances)
        foreach (int dimension in (int[])[2, 3])
        {
            long rest = luma.shape[dimension] - d;
            numbers.Add(Correlation(luma.narrow(dimension, 0, rest), luma.narrow(dimension, d, rest)));
        }
        double total = Variance(luma) + 1e-9;
        for (int octave = 0; octave < Octaves; octave++)
        {
            using Tensor half = torch.nn.functional.avg_pool2d(luma, 2);
            Tensor back = torch.nn.functional.interpolate(
                half,
                size: [luma.shape[2], luma.shape[3]],
                mode: torch.InterpolationMode.Nearest
            );
            numbers.Add(Math.Log((luma - back).square().mean().item<float>() / total + 1e-4));
            luma = half.alias();
        }
        Tensor red = change.narrow(1, 0, 1),
            green = change.narrow(1, 1, 1),
            blue = change.narrow(1, 2, 1),
            all = Color.ToLuma(change),
            size = all.abs();
        numbers.AddRange(Correlation(red, green), Correlation(green, blue));
        Tensor centered = (all - all.mean()) / Math.Sqrt(total);
        numbers.Add(Math.Cbrt(centered.pow(3).mean().item<float>()));
        numbers.Add(Math.Log(centered.pow(4).mean().item<float>() + 1e-3));
        numbers.Add(all.mean().item<float>() / (size.mean().item<float>() + 1e-6));
        Tensor edges = SobelEdges.Magnitude(light),
            row = torch.linspace(0, 1, all.shape[2]).reshape(1, 1, -1, 1).expand_as(all);
        numbers.AddRange(Correlation(all, light), Correlation(size, edges), Correlation(size, row));
        numbers.Add(Correlation(SobelEdges.Magnitude(Color.ToLuma(degraded)), edges));
        return numbers;
    }

    private static double Variance(Tensor x) => (x - x.mean()).square().mean().item<float>();

    private static double Correlation(Tensor a, Tensor b)
    {
        Tensor x = a - a.mean(),
            y = b - b.mean();
        double scale = Math.Sqrt((double)x.square().mean().item<float>() * y.square().mean().item<float>());
        return scale < 1e-9 ? 0 : (x * y).mean().item<float>() / scale;
    }
}
