using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

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

    /// <summary>The condition of one picture of a batch.</summary>
    public static Condition Label(Tensor? labels, int picture) =>
        labels is null ? default : new Condition { Labels = [labels[picture].item<long>()] };
}
