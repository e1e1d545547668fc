using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>The network in a folder that diffusers wrote.</summary>
/// <remarks>
/// A pipeline keeps it in <c>unet</c>, or, as the first ones did, in the root; a checkpoint of a training has the averaged weights in
/// <c>unet_ema</c>. The files are <c>config.json</c> and <c>diffusion_pytorch_model[.VARIANT].safetensors</c> or <c>.bin</c>.
/// </remarks>
internal static class DiffusersFolder
{
    private const string Stem = "diffusion_pytorch_model";

    private static readonly string[] Parts = ["unet_ema", "unet", ""];

    /// <summary>Whether a network is there.</summary>
    public static bool Holds(string folder) => Network(folder) is not null;

    /// <summary>The weights of the network; null when the folder is none of diffusers.</summary>
    /// <exception cref="CheckpointException">There is a configuration, but no weights.</exception>
    public static PriorFiles? Find(string folder)
    {
        if (Network(folder) is not { } network)
            return null;
        string[] weights =
        [
            .. Directory
                .GetFiles(network, Stem + ".*")
                .Where(file => Path.GetExtension(file) is ".safetensors" or ".bin")
                .OrderBy(file => Path.GetFileName(file).Length - Path.GetExtension(file).Length)
                .ThenByDescending(Path.GetExtension, StringComparer.Ordinal),
        ];
        return weights.Length > 0
            ? new PriorFiles(weights[0], null)
            : throw new CheckpointException(
                $"There is a config.json, but no {Stem}.safetensors or .bin",
                network,
                "Put the weights there; files in parts are not supported"
            );
    }

    private static string? Network(string folder) =>
        Parts.Select(part => Path.Combine(folder, part)).FirstOrDefault(part => File.Exists(Path.Combine(part, "config.json")));
}
