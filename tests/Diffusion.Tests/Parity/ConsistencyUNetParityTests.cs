using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

public sealed class ConsistencyUNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("cm-unet");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_its_modules_and_its_denoisers_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config,
            denoiser = config.Object("denoiser");
        NetworkCase.FixedKeys(config);
        denoiser.Text("time", "sigma_max");
        AdmUNetConfig arguments = NetworkCase.Network(config);
        string[] blocks = config.Strings("record_blocks");
        Tensor x = reference.Input("x"),
            sigma = reference.Input("sigma");
        Tensor? labels = arguments.NumClasses is null ? null : reference.Input("y");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            ConsistencyUNet network = new(arguments, policy);
            reference.LoadInto(network);
            network.Arrange();
            foreach (string mode in config.Strings("modes"))
            {
                KarrasScalings scalings = new(
                    denoiser.Double("sigma_data"),
                    mode switch
                    {
                        "distilled" => denoiser.Double("sigma_min"),
                        "edm" => 0,
                        _ => throw new ArgumentException($"Unknown mode {mode}."),
                    }
                );
                PriorInfo info = new() { Name = mode, Kind = PriorKind.PosteriorMean };
                IDenoiser prior = mode == "edm" ? new EdmPrior(network, info, scalings) : new ConsistencyPrior(network, info, scalings);
                Tensor Table(Func<double, double> of) => torch.tensor([.. Levels(sigma).Select(of)], dtype: ScalarType.Float32);
                Tensor input = x * Table(scalings.In).reshape(-1, 1, 1, 1),
                    time = Table(KarrasScalings.Time);
                Tensor output = network.Forward(input, time, labels, NetworkCase.Compare(reference, $"{mode}.block.", blocks, factor));
                Tensor denoised = torch.cat([
                    .. Levels(sigma).Select((level, n) => prior.Denoise(x.narrow(0, n, 1), level, NetworkCase.Label(labels, n))),
                ]);
                foreach (
                    (string name, Tensor actual) in new[]
                    {
                        ("net_input", input),
                        ("rescaled_t", time),
                        ("model_output", output),
                        ("denoised", denoised),
                        ("denoised_clamped", denoised.clamp(-1, 1)),
                        ("c_skip", Table(scalings.Skip)),
                        ("c_out", Table(scalings.Out)),
                        ("c_in", Table(scalings.In)),
                    }
                )
                    reference.AssertOutput($"{mode}.{name}", actual, factor);
            }
            network.Dispose();
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static double[] Levels(Tensor sigma) => [.. sigma.to(ScalarType.Float64).data<double>()];
}
