using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

public sealed class NafNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("nafnet");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_and_its_modules_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        config.Only("fast_imp", false);
        config.Text("padding", "local_window");
        string variant = config.OneOf("variant", "nafnet", "local", "structure_correction", "dcpt");
        Assert.Equal(variant == "structure_correction" ? "x[:,3:6]" : "x", config.OneOf("skip", "x", "x[:,3:6]"));
        Assert.Equal(variant == "local", config.Has("train_size"));
        JsonObject arguments = [];
        foreach (string key in config.Keys.Where(key => NafNetConfig.Keys.Contains(key)))
            arguments[key] = JsonNode.Parse(config.Raw(key).GetRawText());
        NafNetFamily family = new();
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(reference.Weights())!;
        Assert.True(family.HasLayout(arguments, found.Config), $"{found.Config.ToJsonString()} was found.");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using NafNet network = (NafNet)family.Create(arguments, policy);
            StateDictLoader.Load(network.Parameters, family.Named(reference.Weights()));
            network.Arrange();
            foreach (string output in reference.Outputs)
                reference.Expected(output);
            Tensor y = network.Forward(reference.Input("x"), (module, output) =>
            {
                string name = variant == "dcpt" ? module.Replace("decoders.", "decoder", StringComparison.Ordinal) : module;
                if (reference.Outputs.Contains(name))
                    reference.AssertOutput(name, First(output, reference.Expected(name)), factor);
            });
            reference.AssertOutput("y", y, factor);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    // Of modules the first picture is recorded, with or without its dimension.
    private static Tensor First(Tensor output, Tensor expected) => expected.dim() == 3 ? output[0] : output.narrow(0, 0, 1);
}
