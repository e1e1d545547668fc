using System.Text.Json.Nodes;
using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>What is known about a published weight file.</summary>
public sealed record CatalogEntry
{
    private const string NoiseRange = "noise_range";

    // What decides how a network is run; files that agree in it may stand for each other.
    private static readonly string[] Behavior = ["kind", "config", "prediction", "schedule", "scalings", NoiseRange];

    /// <summary>Reads an entry of the catalogue.</summary>
    internal CatalogEntry(JsonObject card)
    {
        Card = card;
        Name = (string)card["name"]!;
        Title = (string)card["title"]!;
        Files = [.. card["files"]!.AsArray().Select(file => (string)file!)];
        Architecture = new Architecture((string)card["kind"]!, card["config"]!.AsObject());
        Prediction = (string)card["prediction"]!;
        Labels = (string?)card["labels"];
        Parameters = (long?)card["parameters"];
        SizeMegabytes = (int?)card["size_mb"];
        Licence = (string)card["licence"]!;
        Home = (string?)card["home"];
        Sources = [.. card["sources"]!.AsArray().Select(source => (string)source!)];
        Sha256 = (string?)card["sha256"];
    }

    /// <summary>Short name.</summary>
    public string Name { get; }

    /// <summary>What it is, in a phrase.</summary>
    public string Title { get; }

    /// <summary>Names under which the file is published.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The network with all constructor arguments, those too that shapes do not show.</summary>
    public Architecture Architecture { get; }

    /// <summary>What it predicts: <c>epsilon</c>, <c>consistency</c>, <c>edm</c>, <c>x0</c>, ...</summary>
    public string Prediction { get; }

    /// <summary>The meaning of class numbers, for example <c>imagenet-1k</c>; null for unconditional networks.</summary>
    public string? Labels { get; }

    /// <summary>Number of parameters, where known.</summary>
    public long? Parameters { get; }

    /// <summary>Size of the file in megabytes, where known.</summary>
    public int? SizeMegabytes { get; }

    /// <summary>Licence as its publisher states it.</summary>
    public string Licence { get; }

    /// <summary>Home page.</summary>
    public string? Home { get; }

    /// <summary>Where the file can be downloaded.</summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>SHA-256 of the file in lower-case hexadecimal, where known.</summary>
    public string? Sha256 { get; }

    /// <summary>The entry in the form of a <c>card.json</c>.</summary>
    public JsonObject Card { get; }

    /// <summary>Whether a network of these names and shapes is laid out like this one.</summary>
    internal bool HasLayout(RecognizedNetwork found) =>
        found.Family.Kind == Architecture.Kind && found.Family.HasLayout(Architecture.Config, found.Config);

    /// <summary>Whether both networks are run in the same way.</summary>
    internal bool BehavesLike(CatalogEntry other) => Behavior.All(key => Same(Card[key], other.Card[key]));

    /// <summary>Whether both networks are run in the same way, if not at the same noise levels.</summary>
    internal bool ComputesLike(CatalogEntry other) => Behavior.Where(key => key != NoiseRange).All(key => Same(Card[key], other.Card[key]));

    // Numbers by value: 4 and 4.0 are the same multiplier.
    private static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(Normal(a), Normal(b));

    private static JsonNode? Normal(JsonNode? node) => node is null ? null : JsonNode.Parse(node.ToJsonString());
}
