using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Benchmarks;

/// <summary>GenDeg in full size with random weights, in the files that are published (8 GB).</summary>
internal static class GenDegFiles
{
    private static readonly string[] Tokenizer = ["vocab.json", "merges.txt"];

    /// <summary>Writes them; one tensor is in memory at a time.</summary>
    /// <param name="folder">Where they go.</param>
    /// <param name="parity">The folder of the reference numbers, which lists the published names and shapes.</param>
    public static void Write(string folder, string parity)
    {
        Directory.CreateDirectory(folder);
        Save("gendeg", "gendeg.ckpt");
        Save("gendeg-structure-correction", "nafnet_sd.ckpt");
        foreach (string file in Tokenizer)
            File.Copy(Path.Combine(parity, "clip", file), Path.Combine(folder, file), overwrite: true);

        void Save(string manifest, string file)
        {
            JsonObject tensors = JsonNode.Parse(File.ReadAllText(Path.Combine(parity, "manifests", manifest + ".json")))![
                "tensors"
            ]!.AsObject();
            SafetensorsWriter.Write(
                Path.Combine(folder, file),
                tensors.Select(
                    TensorEntry (tensor) =>
                        new RandomWeights("state_dict." + tensor.Key, [.. tensor.Value![1]!.AsArray().Select(size => (long)size!)])
                ),
                overwrite: true
            );
        }
    }
}
