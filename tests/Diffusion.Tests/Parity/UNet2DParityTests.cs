using System.Text.Json.Nodes;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

public sealed class UNet2DParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("unet2d");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_and_its_schedule_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        JsonObject arguments = Object(config, "unet");
        arguments["attention_names"] = config.OneOf("attention_names", "old", "new");
        arguments.Remove("sample_size");
        Assert.All(arguments, argument => Assert.Contains(argument.Key, UNet2DConfig.Keys));
        JsonObject scheduler = Object(config, "scheduler");
        double? range = (bool)scheduler["clip_sample"]! ? (double)scheduler["clip_sample_range"]! : null;
        (NoiseSchedule schedule, Prediction prediction) = DiffusersSchedule.Read(scheduler);
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using UNet2D network = new(UNet2DConfig.Keys.Read(arguments), policy);
            reference.LoadInto(network);
            network.Arrange();
            Assert.Equal(config.Int("parameters"), network.Parameters.Sum(parameter => parameter.Shape.Aggregate(1L, (a, b) => a * b)));
            Tensor x = reference.Input("x"),
                t = reference.Input("t"),
                output = network.Forward(x, t, trace: NetworkCase.CompareFirst(reference, config.Strings("record"), factor));
            reference.AssertOutput("sample", output, factor);
            NetworkCase.AssertEstimates(reference, schedule, prediction, output, range, factor, withNoise: false);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static JsonObject Object(ConfigNode config, string key) => JsonNode.Parse(config.Raw(key).GetRawText())!.AsObject();
}
