using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

public sealed class AdmUNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("adm-unet");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_and_its_modules_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        NetworkCase.FixedKeys(config);
        config.Only("compute_dtype", "float32");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            foreach (ConfigNode variant in config.Objects("variants"))
            {
                AdmUNetConfig arguments = NetworkCase.Network(
                    config,
                    variant,
                    "num_heads",
                    "num_head_channels",
                    "num_heads_upsample",
                    "use_new_attention_order"
                );
                using AdmUNet network = new(arguments, policy);
                reference.LoadInto(network);
                network.Arrange();
                string name = variant.String("name"),
                    inputs = variant.String("inputs");
                string[] record = variant.Strings("record");
                Tensor? labels = arguments.NumClasses is null ? null : reference.Input($"y.{inputs}");
                Tensor output = network.Forward(
                    reference.Input($"x.{inputs}"),
                    reference.Input($"t.{inputs}"),
                    labels,
                    NetworkCase.Compare(reference, $"{name}.", record, factor)
                );
                reference.AssertOutput($"{name}.out", output, factor);
            }
        }
        if (config.Has("fp16_names"))
            Assert.Equal(config.Strings("fp16_names").Order(), HalfPrecisionNames(NetworkCase.Network(config)).Order());
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    /// <summary>
    /// What the published <c>convert_to_fp16</c> turns to float16: ours and the first convolution, which stays float32 here because its
    /// input must not be rounded.
    /// </summary>
    private static IEnumerable<string> HalfPrecisionNames(AdmUNetConfig arguments)
    {
        using AdmUNet network = new(arguments);
        return [.. network.Parameters.Where(p => !p.KeepFloat32).Select(p => p.Name), "input_blocks.0.0.weight", "input_blocks.0.0.bias"];
    }
}
