using System.Diagnostics;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Times the prior.</summary>
internal static class EvaluationTime
{
    private const int Side = 128;

    /// <summary>
    /// Seconds per pixel of one evaluation, measured on a small picture: the second of two runs, since the first one prepares kernels.
    /// </summary>
    public static double PerPixel(IDenoiser prior, in Condition condition)
    {
        using ComputeScope scope = new();
        Tensor x = torch.zeros([1, prior.Info.Channels, Side, Side]);
        double sigma = Math.Sqrt(prior.Info.NoiseRange.Min * prior.Info.NoiseRange.Max);
        prior.Denoise(x, sigma, condition);
        long start = Stopwatch.GetTimestamp();
        prior.Denoise(x, sigma, condition);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / (Side * Side);
    }
}
