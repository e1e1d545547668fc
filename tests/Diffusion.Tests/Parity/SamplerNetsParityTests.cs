using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

public sealed class SamplerNetsParityTests
{
    private const string Block = "block.";

    public static TheoryData<string> Cases => ParityCase.All("sampler-nets");

    [Theory, MemberData(nameof(Cases))]
    public void The_networks_of_the_sampler_families_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        NetworkCase.FixedKeys(config);
        config.Text("num_heads", "sigma_max", "weights_from", "weights_ignore");
        AdmUNetConfig arguments = NetworkCase.Network(config);
        string[] blocks =
        [
            .. reference.Outputs.Where(name => name.StartsWith(Block, StringComparison.Ordinal)).Select(name => name[Block.Length..]),
        ];
        Tensor x = reference.Input("x");
        Tensor? labels = reference.HasInput("classes") ? reference.Input("classes") : null;
        PriorInfo info = new() { Name = reference.Family, Kind = PriorKind.PosteriorMean };
        bool consistency = config.Has("sigma_data");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using AdmUNet network = consistency ? new ConsistencyUNet(arguments, policy) : new AdmUNet(arguments, policy);
            reference.LoadInto(network);
            network.Arrange();
            Assert.Equal(config.Int("parameters"), network.Parameters.Sum(p => p.Value.numel()));
            ModuleTrace compare = NetworkCase.Compare(reference, Block, blocks, factor);
            if (consistency)
            {
                double[] sigma = [.. reference.Input("sigma").to(ScalarType.Float64).data<double>()];
                KarrasScalings scalings = new(config.Double("sigma_data"), config.Double("sigma_min"));
                ConsistencyPrior prior = new(network, info, scalings);
                Tensor scale = torch.tensor([.. sigma.Select(scalings.In)], dtype: ScalarType.Float32).reshape(-1, 1, 1, 1),
                    time = torch.tensor([.. sigma.Select(KarrasScalings.Time)], dtype: ScalarType.Float32);
                reference.AssertOutput("model_output", network.Forward(x * scale, time, labels, compare), factor);
                reference.AssertOutput(
                    "denoised",
                    torch.cat([.. sigma.Select((level, n) => prior.Denoise(x.narrow(0, n, 1), level, NetworkCase.Label(labels, n)))]),
                    factor
                );
            }
            else
            {
                VpPrior prior = new(network, NoiseSchedule.Linear(), info);
                Tensor t = reference.Input("t");
                reference.AssertOutput("eps_var", network.Forward(x, t, labels, compare), factor);
                // The prior knows the schedule's own times alone.
                if (!t.eq(t.floor()).all().item<bool>())
                    continue;
                Tensor[] predicted =
                [
                    .. t.to(ScalarType.Int64)
                        .data<long>()
                        .Select(
                            (time, n) =>
                            {
                                (Tensor epsilon, Tensor? variance) = prior.Predict(
                                    x.narrow(0, n, 1),
                                    (int)time,
                                    NetworkCase.Label(labels, n)
                                );
                                return variance is null ? epsilon : torch.cat([epsilon, variance], dim: 1);
                            }
                        ),
                ];
                reference.AssertOutput("eps_var", torch.cat(predicted), factor);
            }
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }
}
