using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Tests.Models;

public sealed class SharedPriorTests
{
    [Fact]
    public void Several_threads_may_use_one_prior()
    {
        using VpPrior prior = PhotoPrior.Load();
        using ComputeScope scope = new();
        (Tensor Picture, double Sigma)[] jobs =
        [
            .. Enumerable.Range(0, 6).Select(i => (PhotoPrior.Noise(1, 3, 32 + 16 * (i % 2), 48), 0.1 + 0.1 * i)),
        ];
        float[][] alone = [.. jobs.Select(job => prior.Denoise(job.Picture, job.Sigma).data<float>().ToArray())],
            together = new float[jobs.Length][];
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(worker => new Thread(() =>
                {
                    using ComputeScope own = new();
                    for (int i = worker; i < jobs.Length; i += 3)
                        together[i] = prior.Denoise(jobs[i].Picture, jobs[i].Sigma).data<float>().ToArray();
                })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        for (int i = 0; i < jobs.Length; i++)
            Assert.True(alone[i].Zip(together[i], (a, b) => Math.Abs(a - b)).Max() < 1e-5);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void Live_tensors_stay_flat(bool fused)
    {
        using VpPrior prior = PhotoPrior.Load(new ComputePolicy { Fused = fused });
        using ComputeScope scope = new();
        Tensor x = PhotoPrior.Noise(1, 3, 30, 33);
        TiledDenoiser tiled = TiledDenoiser.Around(prior, 32);
        Use();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 10; i++)
            Use();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Use()
        {
            using (prior.Denoise(x, 0.3)) { }
            (Tensor epsilon, _) = prior.Predict(x, 17);
            using (epsilon) { }
            using (tiled.Denoise(x, 0.3)) { }
        }
    }

    [Fact]
    public void Gradients_flow_through_the_denoiser()
    {
        using VpPrior prior = PhotoPrior.Load();
        using ComputeScope scope = new();
        Tensor x = PhotoPrior.Smooth(16, 16) + 0.3 * PhotoPrior.Noise(1, 3, 16, 16),
            direction = PhotoPrior.Noise(1, 3, 16, 16) * 0.5;
        using IDisposable grad = torch.enable_grad();
        Tensor leaf = x.detach().requires_grad_();
        Tensor gradient = torch.autograd.grad([prior.Denoise(leaf, 0.3).square().sum()], [leaf])[0];
        using IDisposable noGrad = torch.no_grad();
        double Energy(double step) => prior.Denoise(x + step * direction, 0.3).square().sum().item<float>();
        double slope = (Energy(1e-2) - Energy(-1e-2)) / 2e-2;
        Assert.Equal((gradient * direction).sum().item<float>(), slope, 0.02 * Math.Abs(slope) + 0.1);
    }

    [Fact]
    public void Bfloat16_changes_the_result_by_far_less_than_its_error()
    {
        using VpPrior exact = PhotoPrior.Load(),
            half = PhotoPrior.Load(new ComputePolicy { NetworkDtype = ScalarType.BFloat16 });
        using ComputeScope scope = new();
        Tensor clean = PhotoPrior.Smooth(48, 48),
            x = clean + 0.2 * PhotoPrior.Noise(1, 3, 48, 48);
        Tensor reference = exact.Denoise(x, 0.2),
            rounded = half.Denoise(x, 0.2);
        Assert.Equal(ScalarType.Float32, rounded.dtype);
        double error = (reference - clean).square().mean().sqrt().item<float>(),
            difference = (reference - rounded).square().mean().sqrt().item<float>();
        Assert.True(difference < 0.1 * error, $"bfloat16 moves the result by {difference:G3} where its error is {error:G3}.");
    }

    [Fact]
    public void Nan_in_the_weights_is_named_with_its_module()
    {
        using VpPrior prior = PhotoPrior.Load();
        using ComputeScope scope = new();
        prior.Network.Parameters.Single(p => p.Name == "input_blocks.3.0.in_layers.2.bias").Value.fill_(double.NaN);
        NumericalException inside = Assert.Throws<NumericalException>(() => prior.Denoise(torch.zeros(1, 3, 16, 16), 0.3));
        Assert.Contains("input_blocks.3.0", inside.Message);
        NumericalException before = Assert.Throws<NumericalException>(() => prior.Denoise(torch.full([1, 3, 16, 16], float.NaN), 0.3));
        Assert.Contains("was given", before.Message);
    }
}
