using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>How well a denoiser removes Gaussian noise in one evaluation: the table that decides which prior ships.</summary>
/// <remarks>
/// Pictures at their native size; noise neither clipped nor quantised, drawn from the picture's name and the level; PSNR per picture over
/// all channels, averaged over pictures.
/// </remarks>
public static class Validation
{
    /// <summary>The levels of denoising papers: 15, 25 and 50 of 255.</summary>
    public static IReadOnlyList<double> PaperLevels { get; } = [15 / 127.5, 25 / 127.5, 50 / 127.5];

    /// <summary>Twenty levels for a prior's rmse table, evenly spaced in the logarithm.</summary>
    public static IReadOnlyList<double> TableLevels(double min = 0.01, double max = 5) =>
        [.. Enumerable.Range(0, 20).Select(i => Math.Round(min * Math.Pow(max / min, i / 19.0), 5))];

    /// <summary>Denoises every picture at every level.</summary>
    /// <param name="denoiser">The prior; used by <paramref name="threads"/> threads at once.</param>
    /// <param name="photos">The pictures.</param>
    /// <param name="sigmas">Noise levels on [-1,1].</param>
    /// <param name="threads">Threads; each computes with one libtorch thread of its own.</param>
    /// <param name="seed">Seed of the noise.</param>
    public static IReadOnlyList<ValidationRow> Measure(
        IDenoiser denoiser,
        IReadOnlyList<TrainingPhoto> photos,
        IReadOnlyList<double> sigmas,
        int threads = 1,
        ulong seed = 0
    )
    {
        using WorkerTeam team = new(threads);
        (double Clamped, double Free, double SquaredError)[] results = new (double, double, double)[photos.Count * sigmas.Count];
        team.Run(results.Length, (_, job) =>
        {
            using ComputeScope scope = new();
            TrainingPhoto photo = photos[job / sigmas.Count];
            double sigma = sigmas[job % sigmas.Count];
            Tensor clean = ToTensor(photo);
            Tensor noise = new PhiloxNoise(seed + (ulong)(sigma * 1e6), [ImageKey.FromName(photo.Name)]).Draw(
                NoiseRole.Measurement,
                clean.shape
            );
            Tensor estimate = denoiser.Denoise(clean + sigma * noise, sigma);
            double free = (estimate - clean).square().mean().item<float>(),
                clamped = (estimate.clamp(-1, 1) - clean).square().mean().item<float>();
            results[job] = (Psnr(clamped), Psnr(free), free);
        });
        return
        [
            .. sigmas.Select(
                (sigma, s) =>
                {
                    var level = Enumerable.Range(0, photos.Count).Select(p => results[p * sigmas.Count + s]).ToArray();
                    return new ValidationRow(
                        sigma,
                        level.Average(r => r.Clamped),
                        level.Average(r => r.Free),
                        Math.Sqrt(level.Average(r => r.SquaredError))
                    );
                }
            ),
        ];
    }

    /// <summary>PSNR of a mean squared error on [-1,1].</summary>
    private static double Psnr(double meanSquare) => 10 * Math.Log10(4 / Math.Max(meanSquare, 1e-20));

    /// <summary>[1,3,H,W] on [-1,1].</summary>
    internal static Tensor ToTensor(TrainingPhoto photo)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor bytes = torch.tensor(photo.Pixels, [1, photo.Height, photo.Width, 3], dtype: ScalarType.Byte);
        return (bytes.permute(0, 3, 1, 2).to(ScalarType.Float32).contiguous() * (2.0 / 255) - 1).MoveToOuterDisposeScope();
    }
}

/// <summary>One noise level.</summary>
/// <param name="Sigma">On [-1,1].</param>
/// <param name="Psnr">dB, the result clamped to the range of pictures; mean over pictures.</param>
/// <param name="PsnrUnclamped">dB, as the network says it.</param>
/// <param name="Rmse">Root of the mean squared error on [-1,1], over all pictures, unclamped.</param>
public sealed record ValidationRow(double Sigma, double Psnr, double PsnrUnclamped, double Rmse);
