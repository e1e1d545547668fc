using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>Several networks in several weight files with one card, for systems that no single file holds.</summary>
/// <remarks>
/// The card, <c>card.json</c> in the folder of the files: <c>name</c>, <c>kind</c> (the system), and <c>parts</c>, an object of parts by
/// name. A part has <c>file</c> and, where needed, <c>kind</c> and <c>config</c> (else the network is recognised), <c>prefix</c> (where it
/// lies in the file), <c>lora</c> (<c>file</c>, and where needed <c>prefix</c> and <c>alpha</c>).
/// </remarks>
public sealed class Bundle
{
    private readonly string _card;
    private readonly NetworkCatalog _families;
    private readonly JsonObject _parts;

    private Bundle(string card, JsonObject json, NetworkCatalog families)
    {
        (_card, _families) = (card, families);
        Name = Text(json, "name") ?? throw Wrong("\"name\" is missing");
        Kind = Text(json, "kind") ?? throw Wrong("\"kind\" is missing");
        _parts = json["parts"] as JsonObject ?? throw Wrong("\"parts\" is missing");
        foreach ((string part, JsonNode? value) in _parts)
            if (value is not JsonObject described || Text(described, "file") is not { } file)
                throw Wrong($"the part \"{part}\" names no file");
            else if (!File.Exists(PathOf(file)))
                throw new CheckpointException($"The part \"{part}\" is missing", PathOf(file), "Put the file there");
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The system that it belongs to.</summary>
    public string Kind { get; }

    /// <summary>The names of its parts.</summary>
    public IReadOnlyList<string> Parts => [.. _parts.Select(part => part.Key)];

    /// <summary>Reads the card of a bundle.</summary>
    /// <param name="folder">The folder of the card and of all files.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <exception cref="CheckpointException">There is no card, it cannot be used, or a file is missing.</exception>
    public static Bundle Open(string folder, NetworkCatalog? families = null)
    {
        string card = Path.Combine(folder, "card.json");
        try
        {
            if (JsonNode.Parse(File.ReadAllText(card)) is JsonObject json)
                return new Bundle(card, json, families ?? NetworkCatalog.BuiltIn);
            throw new JsonException("it is no JSON object");
        }
        catch (JsonException wrong)
        {
            throw new CheckpointException($"The card cannot be used: {wrong.Message.TrimEnd('.')}", card, "Correct it", wrong);
        }
        catch (IOException missing)
        {
            throw new CheckpointException("There is no card of a bundle", card, "Name the folder that holds one", missing);
        }
    }

    /// <summary>
    /// Loads the network of a part, strictly, with its averaged weights where there are some and its LoRA updates merged.
    /// </summary>
    /// <param name="part">One of <see cref="Parts"/>.</param>
    /// <param name="policy">How it computes.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="CheckpointException">There is no such part or no network for it here, or weights or updates do not fit.</exception>
    public Network Load(string part, ComputePolicy policy)
    {
        JsonObject described = _parts[part] as JsonObject ?? throw Wrong($"there is no part \"{part}\", only {string.Join(", ", Parts)}");
        using ICheckpoint file = Checkpoint.Open(PathOf(Text(described, "file")!));
        ICheckpoint weights = Text(described, "prefix") is { } prefix ? SubNetwork.In(file, prefix) : file;
        RecognizedNetwork? found = Text(described, "kind") is null ? _families.Recognize(weights) : null;
        NetworkFamily family = Text(described, "kind") is { } kind
            ? _families.Find(kind)
            : found?.Family ?? throw new CheckpointException($"The part \"{part}\" is of no network that is known here", file.Path);
        weights = found?.Weights(weights) ?? family.Named(weights);
        JsonObject config = described["config"] as JsonObject ?? (found is null ? [] : family.Complete(found.Config).Config);
        Network network = family.Create(config, policy);
        try
        {
            if (described["lora"] is not JsonObject lora)
            {
                NetworkWeights.Fill(network, weights, _families);
                return network;
            }
            using ICheckpoint updates = Checkpoint.Open(
                PathOf(Text(lora, "file") ?? throw Wrong($"the updates of \"{part}\" name no file"))
            );
            double? alpha = lora["alpha"] is JsonValue value && value.TryGetValue(out double number) ? number : null;
            ICheckpoint plain = new CheckpointView(weights, StateDictLoader.Compare(network.Parameters, weights).Prefix);
            NetworkWeights.Fill(network, new LoraUpdates(updates, Text(lora, "prefix") ?? "", alpha).Merge(plain), _families);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A file of the bundle; never one outside its folder.</summary>
    private string PathOf(string file) => Path.Combine(Path.GetDirectoryName(_card)!, Path.GetFileName(file));

    private static string? Text(JsonObject json, string key) =>
        json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private CheckpointException Wrong(string what) => new($"The card cannot be used: {what}", _card, "Correct it");
}
