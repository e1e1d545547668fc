using System.Text.Json.Nodes;
using Diffusion.Networks;

namespace Diffusion.Tests.Parity;

/// <summary>What the cases of the latent networks have in common.</summary>
internal static class LatentCase
{
    /// <summary>The UNet's constructor arguments; an unknown key fails.</summary>
    public static StableDiffusionUNetConfig UNet(ConfigNode config) => Read(config, "unet", StableDiffusionUNetConfig.Keys);

    /// <summary>The autoencoder's constructor arguments; an unknown key fails.</summary>
    public static AutoencoderKLConfig Vae(ConfigNode config) => Read(config, "vae", AutoencoderKLConfig.Keys);

    /// <summary>A trace that compares every recorded module.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="factor">On its tolerances.</param>
    /// <param name="published">The name under which a module is recorded.</param>
    public static ModuleTrace Compare(ParityCase reference, double factor, Func<string, string> published)
    {
        // Read now: inside the network they would belong to its dispose scope.
        foreach (string output in reference.Outputs)
            reference.Expected(output);
        return (module, output) =>
        {
            string name = published(module);
            if (reference.Outputs.Contains(name))
                reference.AssertOutput(name, output, factor);
        };
    }

    private static T Read<T>(ConfigNode config, string key, ConfigKeys<T> keys)
        where T : class
    {
        JsonObject network = JsonNode.Parse(config.Raw(key).GetRawText())!.AsObject();
        foreach (string name in network.Select(entry => entry.Key))
            Assert.True(keys.Contains(name), $"config.{key}.{name} is not known.");
        return keys.Read(network);
    }
}
