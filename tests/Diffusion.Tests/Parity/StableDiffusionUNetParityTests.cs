using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

public sealed class StableDiffusionUNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("sd-unet");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_and_its_modules_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("num_heads_note", "timesteps");
        config.Only("dtype", "float32");
        StableDiffusionUNetConfig arguments = LatentCase.UNet(config);
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using StableDiffusionUNet network = new(arguments, policy);
            reference.LoadInto(network);
            network.Arrange();
            network.Forward(
                reference.Input("x"),
                reference.Input("t"),
                reference.Input("context"),
                LatentCase.Compare(reference, factor, Published)
            );
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    /// <summary>The name under which a module's output is recorded.</summary>
    public static string Published(string module) =>
        module == "conv_out" ? "sample" : module.Replace(".transformer_blocks.0.", ".", StringComparison.Ordinal);
}
