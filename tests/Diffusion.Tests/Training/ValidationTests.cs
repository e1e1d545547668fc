using Diffusion.Models;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class ValidationTests
{
    [Fact]
    public void A_denoiser_that_does_nothing_scores_the_noise()
    {
        using Nothing denoiser = new();
        IReadOnlyList<ValidationRow> rows = Validation.Measure(denoiser, TrainingFixture.Photos, Validation.PaperLevels, threads: 2);
        Assert.Equal([24.61, 20.17, 14.15], rows.Select(r => Math.Round(r.PsnrUnclamped, 2)), (a, b) => Math.Abs(a - b) < 0.15);
        Assert.All(rows, r => Assert.Equal(r.Sigma, r.Rmse, 0.02 * r.Sigma));
        Assert.All(rows, r => Assert.True(r.Psnr >= r.PsnrUnclamped));
    }

    [Fact]
    public void The_result_does_not_depend_on_threads_or_order()
    {
        using Nothing denoiser = new();
        IReadOnlyList<ValidationRow> one = Validation.Measure(denoiser, TrainingFixture.Photos, [0.1]),
            two = Validation.Measure(denoiser, [.. TrainingFixture.Photos.Reverse()], [0.1], threads: 2);
        Assert.Equal(one[0].Psnr, two[0].Psnr, 9);
    }

    private sealed class Nothing : IDenoiser
    {
        public PriorInfo Info { get; } = new() { Name = "nothing", Kind = PriorKind.PosteriorMean };

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default) => x.clone();

        public void Dispose() { }
    }
}
