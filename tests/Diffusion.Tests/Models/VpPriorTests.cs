using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Tests.Parity;

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

    [Theory, InlineData(Prediction.Epsilon), InlineData(Prediction.V), InlineData(Prediction.X0)]
    public void Whatever_the_network_predicts_the_prior_estimates_picture_and_noise(Prediction prediction)
    {
        using ComputeScope scope = new();
        NoiseSchedule schedule = NoiseSchedule.ScaledLinear();
        Tensor x0 = PhotoPrior.Smooth(6, 5),
            noise = PhotoPrior.Noise(1, 3, 6, 5);
        foreach (int t in new[] { 3, 399, 980 })
        {
            (double a, double sigma) = (schedule.AlphaBar[t], schedule.Sigma(t));
            Tensor output = prediction switch
            {
                Prediction.Epsilon => noise.clone(),
                Prediction.V => Math.Sqrt(a) * noise - Math.Sqrt(1 - a) * x0,
                _ => x0.clone(),
            };
            PriorInfo info = new() { Name = "answer", Kind = PriorKind.PosteriorMean };
            VpPrior prior = new(new Answer(output), schedule, info, prediction: prediction);
            TensorAssert.Close("x0", x0, prior.Denoise(x0 + sigma * noise, sigma), 2e-5, 2e-5);
            (Tensor epsilon, _) = prior.Predict(Math.Sqrt(a) * x0 + Math.Sqrt(1 - a) * noise, t);
            TensorAssert.Close("epsilon", noise, epsilon, 2e-5, 2e-5);
        }
    }

    /// <summary>A network that gives one answer.</summary>
    private sealed class Answer(Tensor output) : DiffusionNetwork(null)
    {
        public override int Channels => 3;

        public override Tensor Forward(Tensor x, Tensor t, Tensor? labels = null, ModuleTrace? trace = null) => output.clone();
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
