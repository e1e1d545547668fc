using System.Diagnostics;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>One evaluation of several priors, in turns, so that all see the same machine.</summary>
internal static class PriorTimes
{
    public static void Print(int size, int rounds, string dtype, string[] names)
    {
        ComputePolicy policy = ComputePolicy.Choose("cpu", dtype);
        IDenoiser[] priors = [.. names.Select(name => PriorLoader.Load(name, policy))];
        using ComputeScope scope = new();
        Tensor x = new PhiloxNoise(1, [new ImageKey(1)]).Draw(NoiseRole.Start, [1, 3, size, size]);
        List<double>[] seconds = [.. priors.Select(_ => new List<double>())];
        // The first round makes the kernels.
        for (int round = -1; round < rounds; round++)
        for (int i = 0; i < priors.Length; i++)
        {
            long started = Stopwatch.GetTimestamp();
            priors[i].Denoise(x, 0.2).Dispose();
            if (round >= 0)
                seconds[i].Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        double megapixels = size * (double)size / 1e6,
            first = Median(seconds[0]);
        for (int i = 0; i < priors.Length; i++)
        {
            Console.WriteLine(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{names[i], -40} {1000 * Median(seconds[i]), 8:F1} ms {Median(seconds[i]) / megapixels, 7:F3} s/megapixel  "
                        + $"x{Median(seconds[i]) / first:F2}  receptive field "
                        + $"{priors[i].Info.ReceptiveField?.ToString() ?? "whole picture"}"
                )
            );
            priors[i].Dispose();
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
