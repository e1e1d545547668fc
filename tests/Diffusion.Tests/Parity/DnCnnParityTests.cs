using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

/// <summary>DnCNN, FDnCNN and IRCNN of cszn/KAIR.</summary>
public sealed class DnCnnParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("dncnn");

    [Theory, MemberData(nameof(Cases))]
    public void The_denoiser_and_the_prior_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        bool ircnn = config.OneOf("variant", "dncnn", "ircnn", "fdncnn") == "ircnn";
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
            if (ircnn)
                CompareIrcnn(reference, policy, factor);
            else
                CompareDnCnn(reference, policy, factor);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void CompareDnCnn(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        DnCnnConfig arguments = new(
            config.Int("in_nc"),
            config.Int("out_nc"),
            config.Int("nc"),
            config.Int("nb"),
            config.OneOf("act_mode", "R", "BR") == "BR" ? StackNumbering.BatchNorm : StackNumbering.Plain,
            config.Bool("clip", false)
        );
        Assert.Equal(config.String("variant") == "fdncnn", arguments.SeesNoiseLevel);
        using DnCnn network = Loaded(arguments, reference.Weights());
        Assert.Equal(
            config.Int("parameters"),
            network
                .Parameters.Where(parameter => !parameter.Name.Contains("running_", StringComparison.Ordinal))
                .Sum(parameter => parameter.Shape.Aggregate(1L, (a, b) => a * b))
        );
        Tensor x = DenoiserCase.Picture(reference, arguments.Rounds),
            sigma = reference.HasInput("sigma") ? reference.Input("sigma") : torch.zeros(1);
        reference.AssertOutput("y", network.Forward(x, sigma, NetworkCase.CompareFirst(reference, Recorded(config), factor)), factor);
        if (arguments.Numbering == StackNumbering.BatchNorm)
            CompareMerged(reference, arguments, network, policy, factor);
        DenoiserCase.AssertPrior(reference, Loaded(arguments with { Rounds = false }, reference.Weights()), factor);

        DnCnn Loaded(DnCnnConfig of, ICheckpoint weights)
        {
            DnCnn made = new(of, policy);
            StateDictLoader.Load(made.Parameters, weights);
            made.Arrange();
            return made;
        }
    }

    /// <summary>Files whose norms were merged: numbered as the published ones, or with the norms' places left empty.</summary>
    private static void CompareMerged(ParityCase reference, DnCnnConfig config, DnCnn network, ComputePolicy policy, double factor)
    {
        Dictionary<string, Tensor> weights = network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
        foreach (StackNumbering numbering in new[] { StackNumbering.Plain, StackNumbering.Merged })
        {
            using DnCnn merged = new(config with { Numbering = numbering }, policy);
            for (int i = 0; i < config.Layers; i++)
            {
                int from = ConvolutionStack.Position(i, StackNumbering.BatchNorm);
                string norm = $"model.{from + 1}",
                    to = $"model.{ConvolutionStack.Position(i, numbering)}";
                (Tensor weight, Tensor bias) = (weights[$"model.{from}.weight"], weights[$"model.{from}.bias"]);
                if (weights.ContainsKey($"{norm}.running_mean"))
                {
                    Tensor scale = weights[$"{norm}.weight"] / (weights[$"{norm}.running_var"] + 1e-4).sqrt();
                    weight = weight * scale.view(-1, 1, 1, 1);
                    bias = (bias - weights[$"{norm}.running_mean"]) * scale + weights[$"{norm}.bias"];
                }
                merged.Parameters.Single(parameter => parameter.Name == $"{to}.weight").Value = weight.clone();
                merged.Parameters.Single(parameter => parameter.Name == $"{to}.bias").Value = bias.clone();
                if (numbering == StackNumbering.Plain)
                {
                    reference.AssertOutput($"merged.{to}.weight", weight);
                    reference.AssertOutput($"merged.{to}.bias", bias);
                }
            }
            merged.Arrange();
            reference.AssertOutput("y", merged.Denoise(reference.Input("x"), 0), factor);
        }
    }

    private static void CompareIrcnn(ParityCase reference, ComputePolicy policy, double factor)
    {
        ConfigNode config = reference.Config;
        Assert.Equal(config.Int("in_nc"), config.Int("out_nc"));
        int index = config.Int("index");
        Ircnn network = new(new IrcnnConfig(config.Int("in_nc"), config.Int("nc")), policy);
        ICheckpoint own = reference.Weights();
        // The case holds one of the networks; the others are nought.
        foreach (Parameter parameter in network.Parameters)
            parameter.Value = own.Tensors.TryGetValue(parameter.Name, out TensorEntry? entry)
                ? entry.Read(ScalarType.Float32)
                : torch.zeros(parameter.Shape);
        Assert.Equal(config.Int("parameters"), network.Parameters.Sum(p => own.Tensors.ContainsKey(p.Name) ? p.Value.numel() : 0));
        network.Arrange();
        ModuleTrace trace = NetworkCase.CompareFirst(reference, Recorded(config), factor, $"{index}.");
        reference.AssertOutput("y", network.Forward(reference.Input("x"), index, trace), factor);
        if (!config.Has("prior"))
            network.Dispose();
        else
        {
            double alphaBar = config.Object("prior").Double("alpha_bar");
            long which = network.IndexOf(Math.Sqrt((1 - alphaBar) / alphaBar) / 2);
            reference.AssertOutput("prior.index", torch.tensor([which]));
            // A case may look at another level than that of its network.
            if (which != index)
                foreach (Parameter parameter in network.Parameters.Where(p => p.Name.StartsWith($"{which}.", StringComparison.Ordinal)))
                    parameter.Value = network
                        .Parameters.Single(p => p.Name == $"{index}.{parameter.Name[(parameter.Name.IndexOf('.') + 1)..]}")
                        .Value.clone();
            DenoiserCase.AssertPrior(reference, network, factor);
        }
    }

    private static string[] Recorded(ConfigNode config) => [.. config.Strings("record"), "noise"];
}
