using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

/// <summary>What the cases of the ADM and consistency networks have in common.</summary>
internal static class NetworkCase
{
    /// <summary>The two ways every case is computed, with the factor on its tolerances.</summary>
    public static IReadOnlyList<(ComputePolicy Policy, double Factor)> Runs { get; } =
    [(ComputePolicy.Reference, 1), (new ComputePolicy(), 10)];

    /// <summary>
    /// The constructor arguments under <c>network</c>, with the entries of <paramref name="overrides"/> in place of its own. An unknown key
    /// fails.
    /// </summary>
    public static AdmUNetConfig Network(ConfigNode config, ConfigNode? overrides = null, params ReadOnlySpan<string> overridden)
    {
        JsonObject network = JsonNode.Parse(config.Raw("network").GetRawText())!.AsObject();
        foreach (string key in network.Select(entry => entry.Key))
            Assert.True(AdmUNetConfig.Keys.Contains(key), $"config.network.{key} is not known.");
        if (network["dropout"] is { } dropout)
            Assert.Equal(0, dropout.GetValue<double>());
        foreach (string key in overridden)
            network[key] = JsonNode.Parse(overrides!.Raw(key).GetRawText());
        return AdmUNetConfig.Keys.Read(network);
    }

    /// <summary>Keys that the network families share and that have one possible value.</summary>
    public static void FixedKeys(ConfigNode config)
    {
        config.Text("weights_dtype", "compute_dtype", "attention", "fp16_note", "weights_stored_as");
        config.Only("dtype", "float32");
        if (config.Has("groupnorm"))
        {
            config.Object("groupnorm").Only("groups", 32);
            config.Object("groupnorm").Only("eps", 1e-5);
        }
        if (!config.Has("timestep_embedding"))
            return;
        config.Object("timestep_embedding").Only("max_period", 10000);
        config.Object("timestep_embedding").Text("order", "denominator");
    }

    /// <summary>
    /// A trace that compares the modules among <paramref name="modules"/> that are recorded as outputs <c>prefix + module</c>.
    /// </summary>
    public static ModuleTrace Compare(ParityCase reference, string prefix, IReadOnlyCollection<string> modules, double factor)
    {
        // Read now: inside the network they would belong to its dispose scope.
        HashSet<string> recorded = [.. modules.Where(module => reference.Outputs.Contains(prefix + module))];
        foreach (string module in recorded)
            reference.Expected(prefix + module);
        return (module, output) =>
        {
            if (recorded.Contains(module))
                reference.AssertOutput(prefix + module, output, factor);
        };
    }

    /// <summary>A trace that compares the first picture's output of the modules that are recorded.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="modules">The modules.</param>
    /// <param name="factor">On the tolerances.</param>
    /// <param name="below">What precedes the recorded names in the network.</param>
    public static ModuleTrace CompareFirst(ParityCase reference, IReadOnlyCollection<string> modules, double factor, string below = "")
    {
        HashSet<string> recorded = [.. modules.Where(module => reference.Outputs.Contains(module))];
        foreach (string module in recorded)
            reference.Expected(module);
        return (module, output) =>
        {
            string name = module.StartsWith(below, StringComparison.Ordinal) ? module[below.Length..] : module;
            if (recorded.Contains(name))
                reference.AssertOutput(name, reference.Expected(name).shape[0] < output.shape[0] ? output[..1] : output, factor);
        };
    }

    /// <summary>Compares a schedule, and what an output means at the times <c>t</c> of the pictures <c>x</c>.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="prediction">What the network predicts.</param>
    /// <param name="output">Its output.</param>
    /// <param name="range">Estimates are clamped to plus and minus this; null: they are not.</param>
    /// <param name="factor">On the tolerances.</param>
    /// <param name="withNoise">Whether the noise is recorded beside the estimate.</param>
    public static void AssertEstimates(
        ParityCase reference,
        NoiseSchedule schedule,
        Prediction prediction,
        Tensor output,
        double? range,
        double factor,
        bool withNoise
    )
    {
        Tensor x = reference.Input("x"),
            t = reference.Input("t"),
            alphaBar = torch.tensor([.. schedule.AlphaBar.Select(a => (float)a)]);
        reference.AssertOutput("alphas_cumprod", alphaBar);
        reference.AssertOutput("alpha_bar", alphaBar.index_select(0, t));
        (List<Tensor> x0, List<Tensor> noise, List<Tensor> clamped, List<Tensor> again) = ([], [], [], []);
        for (int i = 0; i < x.shape[0]; i++)
        {
            double a = schedule.AlphaBar[(int)t[i].item<long>()];
            x0.Add(Predictions.X0(prediction, x[i], output[i], a));
            noise.Add(Predictions.Epsilon(prediction, x[i], output[i], a));
            clamped.Add(range is { } bound ? x0[^1].clamp(-bound, bound) : x0[^1]);
            again.Add(Predictions.Epsilon(Prediction.X0, x[i], clamped[^1], a));
        }
        reference.AssertOutput("x0", torch.stack(x0), factor);
        reference.AssertOutput("x0_clipped", torch.stack(clamped), factor);
        if (!withNoise)
            return;
        reference.AssertOutput("pred_noise", torch.stack(noise), factor);
        reference.AssertOutput("pred_noise_clipped", torch.stack(again), factor);
    }

    /// <summary>The condition of one picture of a batch.</summary>
    public static Condition Label(Tensor? labels, int picture) =>
        labels is null ? default : new Condition { Labels = [labels[picture].item<long>()] };
}
