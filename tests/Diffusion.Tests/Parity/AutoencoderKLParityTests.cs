using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

public sealed class AutoencoderKLParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("vae");

    [Theory, MemberData(nameof(Cases))]
    public void Pictures_are_encoded_and_decoded_as_recorded(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        AutoencoderKLConfig arguments = LatentCase.Vae(config);
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using AutoencoderKL network = new(arguments, policy);
            reference.LoadInto(network);
            network.Arrange();
            ModuleTrace compare = LatentCase.Compare(reference, factor, Published);
            Tensor moments = network.Encode(reference.Input("x"), compare),
                mean = LatentGaussian.Mean(moments),
                latent = LatentGaussian.Sample(moments, Assert.Single(reference.Draws)) * arguments.ScalingFactor;
            reference.AssertOutput("moments", moments, factor);
            reference.AssertOutput("mean", mean, factor);
            reference.AssertOutput("logvar", LatentGaussian.LogVariance(moments), factor);
            reference.AssertOutput("std", LatentGaussian.Deviation(moments), factor);
            reference.AssertOutput("latent", latent, factor);
            reference.AssertOutput("decoded_mode", network.Decode(mean, compare), factor);
            reference.AssertOutput("decoded", network.Decode(latent / arguments.ScalingFactor), factor);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static string Published(string module) =>
        module
            .Replace("encoder.", "enc.", StringComparison.Ordinal)
            .Replace("decoder.", "dec.", StringComparison.Ordinal)
            .Replace("mid_block.resnets.", "mid.resnets.", StringComparison.Ordinal)
            .Replace("mid_block.attentions.0", "mid.attn", StringComparison.Ordinal);
}
