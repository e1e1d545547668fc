using System.Text.Json.Nodes;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

public sealed class LucidrainsUNetParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("lucidrains-unet");

    [Theory, MemberData(nameof(Cases))]
    public void The_network_and_its_schedule_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        JsonObject arguments = JsonNode.Parse(config.Raw("unet").GetRawText())!.AsObject();
        arguments["version"] = config.String("version");
        Assert.All(arguments, argument => Assert.Contains(argument.Key, LucidrainsUNetConfig.Keys));
        ConfigNode diffusion = config.Object("diffusion");
        diffusion.Raw("image_size");
        int steps = diffusion.Int("timesteps");
        NoiseSchedule schedule = diffusion.OneOf("beta_schedule", "linear", "cosine", "sigmoid") switch
        {
            "linear" => NoiseSchedule.LinearOf(steps),
            "cosine" => NoiseSchedule.Cosine(steps),
            _ => NoiseSchedule.Sigmoid(steps),
        };
        Prediction prediction = diffusion.OneOf("objective", "pred_noise", "pred_x0", "pred_v") switch
        {
            "pred_noise" => Prediction.Epsilon,
            "pred_x0" => Prediction.X0,
            _ => Prediction.V,
        };
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using LucidrainsUNet network = new(LucidrainsUNetConfig.Keys.Read(arguments), policy);
            reference.LoadInto(network);
            network.Arrange();
            Assert.Equal(config.Int("parameters"), network.Parameters.Sum(parameter => parameter.Shape.Aggregate(1L, (a, b) => a * b)));
            Tensor x = reference.Input("x"),
                t = reference.Input("t");
            Tensor? earlier = reference.HasInput("x_self_cond") ? reference.Input("x_self_cond") : null;
            ModuleTrace trace = NetworkCase.CompareFirst(reference, config.Strings("record"), factor);
            Tensor output = network.ForwardAfter(earlier, x, t, trace);
            reference.AssertOutput("out", output, factor);
            NetworkCase.AssertEstimates(reference, schedule, prediction, output, 1, factor, withNoise: true);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }
}
