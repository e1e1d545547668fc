using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

public sealed class FfdNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("ffdnet");

    [Theory, MemberData(nameof(Cases))]
    public void The_denoiser_and_the_prior_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        config.Only("variant", "ffdnet");
        config.Only("act_mode", "R");
        Assert.Equal(config.Int("in_nc"), config.Int("out_nc"));
        FfdNetConfig arguments = new(config.Int("in_nc"), config.Int("nc"), config.Int("nb"), config.Bool("clip"));
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using FfdNet network = Loaded(arguments);
            Assert.Equal(config.Int("parameters"), network.Parameters.Sum(parameter => parameter.Shape.Aggregate(1L, (a, b) => a * b)));
            Tensor x = DenoiserCase.Picture(reference, arguments.Rounds);
            (long height, long width) = (x.shape[2], x.shape[3]);
            // The published network repeats the last row and column where sides are odd; here the prior does.
            Tensor even = torch.nn.functional.pad(x, [0, width % 2, 0, height % 2], PaddingModes.Replicate);
            ModuleTrace trace = NetworkCase.CompareFirst(reference, config.Strings("record"), factor);
            Tensor y = network.Forward(even, reference.Input("sigma"), trace);
            reference.AssertOutput("y", y[.., .., ..(int)height, ..(int)width], factor);
            DenoiserCase.AssertPrior(reference, Loaded(arguments with { Rounds = false }), factor);

            FfdNet Loaded(FfdNetConfig of)
            {
                FfdNet made = new(of, policy);
                reference.LoadInto(made);
                made.Arrange();
                return made;
            }
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }
}
