using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

public sealed class DruNetTests
{
    public static TheoryData<string> Cases => ParityCase.All("dpir");

    [Theory, MemberData(nameof(Cases))]
    public void The_first_denoising_of_published_runs_is_met(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode network = reference.Config.Object("network");
        DruNetConfig config = new(network.Ints("nc"), network.Int("nb"), network.Int("in_nc"), network.Int("out_nc"));
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            DruNet drunet = new(config, policy);
            reference.LoadInto(drunet);
            drunet.Arrange();
            using DenoisingPrior prior = new(drunet, new PriorInfo { Name = "drunet", Kind = PriorKind.PosteriorMean });
            Tensor x = reference.Expected("step0.x_data");
            double sigma = reference.Expected("step0.sigma").to(ScalarType.Float64).item<double>();
            reference.AssertOutput("step0.denoised_aug", (prior.Denoise(x * 2 - 1, 2 * sigma) + 1) / 2, factor);
        }
    }

    [Fact]
    public void Its_window_is_what_it_says()
    {
        using ComputeScope scope = new();
        using DruNet network = new(new DruNetConfig([8, 8, 8, 8], 1));
        network.Initialize(1);
        int field = network.Config.ReceptiveField,
            size = 256,
            at = 120;
        // Large positive weights: no path cancels or is cut by a ReLU.
        using (torch.no_grad())
            foreach (var parameter in network.Parameters)
                parameter.Value.abs_().add_(0.1);
        Tensor x = torch.rand(1, 4, size, size),
            changed = x.clone();
        changed[0, 0, at, at] += 1;
        Tensor moved = (network.Forward(x.to(ScalarType.Float32)) - network.Forward(changed)).abs().amax([0L, 1L]).ne(0).nonzero();
        long reach = (moved - at).abs().max().item<long>();
        Assert.InRange(reach, field / 4, field / 2);
    }
}
