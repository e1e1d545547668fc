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
        return WeightsIn(network) is { } weights
            ? new PriorFiles(weights, null)
            : throw new CheckpointException($"There is a config.json, but no {Stem}.safetensors or .bin", network, "Put the weights there");
    }

    /// <summary>The weight file of a network in its folder, or the index of several; null when there is none.</summary>
    /// <remarks>Whole before half precision, safetensors before PyTorch's.</remarks>
    public static string? WeightsIn(string folder) =>
        !Directory.Exists(folder)
            ? null
            : Directory
                .GetFiles(folder, Stem + "*")
                .Where(file => !IsShard(file) && Path.GetExtension(file) is ".safetensors" or ".bin" or ".json")
                .OrderBy(file => Path.GetFileName(file).Replace(".index", "").Replace(".json", "").Count(letter => letter == '.'))
                .ThenByDescending(file => file.Contains(".safetensors", StringComparison.Ordinal))
                .ThenBy(Path.GetFileName, StringComparer.Ordinal)
                .FirstOrDefault();

    // diffusion_pytorch_model-00001-of-00002.safetensors
    private static bool IsShard(string file) => Path.GetFileName(file).Contains("-of-", StringComparison.Ordinal);

    private static string? Network(string folder) =>
        Parts.Select(part => Path.Combine(folder, part)).FirstOrDefault(part => File.Exists(Path.Combine(part, "config.json")));
}
