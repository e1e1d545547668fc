using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Tests.Models;

public sealed class VpPriorTests
{
    [Theory]
    [InlineData(0.1), InlineData(0.4), InlineData(1.5)]
    public void The_shipped_prior_denoises(double sigma)
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        Tensor clean = PhotoPrior.Smooth(64, 64),
            noisy = clean + sigma * PhotoPrior.Noise(1, 3, 64, 64);
        double error = (prior.Denoise(noisy, sigma) - clean).square().mean().sqrt().item<float>();
        Assert.True(error < 0.35 * sigma, $"The error is {error:G3} at noise {sigma}.");
    }

    [Theory]
    [InlineData(1, 1), InlineData(1, 400), InlineData(17, 16), InlineData(9, 31)]
    public void Any_size_works(int height, int width)
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        Tensor result = prior.Denoise(torch.zeros(2, 3, height, width), 0.3);
        Assert.Equal([2L, 3, height, width], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
    }

    [Fact]
    public void A_picture_gets_the_same_result_alone_and_in_a_batch()
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        Tensor x = PhotoPrior.Noise(3, 3, 32, 48);
        Tensor alone = prior.Denoise(x.narrow(0, 1, 1), 0.5),
            together = prior.Denoise(x, 0.5).narrow(0, 1, 1);
        Assert.True((alone - together).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void The_noise_estimate_and_the_denoiser_agree_at_integer_times()
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        Tensor x = PhotoPrior.Noise(1, 3, 32, 32);
        double sigma = prior.Schedule.Sigma(300),
            scale = Math.Sqrt(prior.Schedule.AlphaBar[300]);
        (Tensor epsilon, Tensor? variance) = prior.Predict(x * scale, 300);
        Assert.Null(variance);
        Assert.True((prior.Denoise(x, sigma) - (x - sigma * epsilon)).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void The_card_says_what_it_was_trained_for()
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        Assert.Equal("photo", prior.Info.Name);
        Assert.Equal((0.01, 157.4), prior.Info.NoiseRange);
        Assert.True(prior.Info.AnyOrientation);
        Assert.Equal(16, prior.Info.SizeMultiple);
        Assert.Null(prior.Info.Classes);
        IReadOnlyList<(double Sigma, double Rmse)> rows = PriorCard.Read(PriorFiles.Find(PhotoPrior.Folder).Card!).RmseTable!;
        Assert.Equal(20, rows.Count);
        Assert.All(rows, row => Assert.True(row.Rmse < row.Sigma));
    }

    [Fact]
    public void A_prior_that_is_not_there_is_named_with_a_remedy()
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => PriorLoader.Load("no-such-prior", ComputePolicy.Reference));
        Assert.Contains("no-such-prior", error.Message);
        Assert.Contains(PriorFiles.Variable, error.Message);
    }
}
