using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Training;

/// <summary>The files of a trained network: weights in bfloat16 under the published names, a card, the names of what it saw.</summary>
internal static class TrainedFiles
{
    /// <summary>
    /// Writes <c>NAME.safetensors</c>, <c>card.json</c>, and the names and hashes of all photographs that were trained on,
    /// <c>photographs.txt</c>.
    /// </summary>
    /// <param name="folder">Made when missing.</param>
    /// <param name="name">Name of the network.</param>
    /// <param name="state">The run; its short average is what is written.</param>
    /// <param name="photos">What it was trained on.</param>
    /// <param name="card">What the card says beside name, file and hash.</param>
    /// <param name="ships">Which parameters are the network's; null: all.</param>
    public static void Write(
        string folder,
        string name,
        TrainingState state,
        IReadOnlyList<string> photos,
        Func<JsonObject> card,
        Func<string, bool>? ships = null
    ) => Write(folder, name, state, photos.Select(photo => (Path.GetFileName(photo), Hash(photo))), card, ships);

    /// <summary>Writes the same where names and hashes of photographs are known.</summary>
    public static void Write(
        string folder,
        string name,
        TrainingState state,
        IEnumerable<(string Name, string Sha256)> photos,
        Func<JsonObject> card,
        Func<string, bool>? ships = null
    )
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, name + ".safetensors");
        Dictionary<string, Tensor> weights = state.Export(TrainedWeights.ShortAverage);
        try
        {
            SafetensorsWriter.Write(
                file,
                weights.Where(weight => ships?.Invoke(weight.Key) ?? true).ToDictionary(),
                dtype: ScalarType.BFloat16
            );
        }
        finally
        {
            foreach (Tensor tensor in weights.Values)
                tensor.Dispose();
        }
        string list = string.Concat(photos.Select(photo => $"{photo.Sha256}  {photo.Name}\n"));
        File.WriteAllText(Path.Combine(folder, "photographs.txt"), list);
        JsonObject whole = new()
        {
            ["name"] = name,
            ["file"] = Path.GetFileName(file),
            ["sha256"] = Hash(file),
        };
        foreach ((string key, JsonNode? value) in card().ToArray())
            whole[key] = value?.DeepClone();
        string path = Path.Combine(folder, "card.json"),
            temporary = path + ".part";
        File.WriteAllText(
            temporary,
            whole.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1 }) + "\n",
            new UTF8Encoding(false)
        );
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public static string Hash(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
}
