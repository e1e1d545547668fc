using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>The published weight files that are known: what their shapes do not show, where they come from, under which licence.</summary>
public sealed class CheckpointCatalog
{
    private static readonly Lazy<CheckpointCatalog> Shipped = new(() =>
    {
        using Stream stream = typeof(CheckpointCatalog).Assembly.GetManifestResourceStream("catalog.json")!;
        return new CheckpointCatalog(JsonNode.Parse(stream)!.AsObject());
    });

    /// <summary>The metadata key under which a converted file keeps its entry's name.</summary>
    internal const string MetadataKey = "diffusion.name";

    private CheckpointCatalog(JsonObject json) =>
        Entries = [.. json["entries"]!.AsArray().Select(entry => new CatalogEntry(entry!.AsObject()))];

    /// <summary>The catalogue that ships (<c>checkpoints/catalog.json</c>).</summary>
    public static CheckpointCatalog Default => Shipped.Value;

    /// <summary>All entries.</summary>
    public IReadOnlyList<CatalogEntry> Entries { get; }

    /// <summary>
    /// The entry of a name or of a published file name, in any case of letters and with any extension; null when there is none.
    /// </summary>
    public CatalogEntry? Find(string nameOrFile)
    {
        string stem = Stem(nameOrFile);
        return Entries.FirstOrDefault(entry =>
            entry.Name.Equals(nameOrFile, StringComparison.OrdinalIgnoreCase)
            || entry.Files.Any(file => Stem(file).Equals(stem, StringComparison.OrdinalIgnoreCase))
        );
    }

    /// <summary>
    /// Finds out which network a checkpoint holds: by shapes, then among the files of that layout by the name that a conversion left in the
    /// metadata, by the file's name, or by its bytes.
    /// </summary>
    /// <returns>What is known; null when the weights are of no known family.</returns>
    public CheckpointIdentity? Identify(ICheckpoint checkpoint)
    {
        if (ArchitectureProbe.Find(checkpoint.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape)) is not { } found)
            return null;
        CatalogEntry[] candidates = [.. Entries.Where(entry => entry.HasLayout(found.Architecture))];
        CheckpointIdentity identity = new(checkpoint.Path, found.Architecture, found.Prefix, null, candidates, "", null);
        if (Find(checkpoint.Metadata.GetValueOrDefault(MetadataKey, checkpoint.Path)) is { } named && candidates.Contains(named))
            return Known(identity, named, "recognised by its name and shapes");
        if (candidates.Length == 0)
            return Unlisted(identity);
        if (candidates.Length == 1)
            return Known(identity, candidates[0], "recognised by its shapes");
        if (SameBytes(checkpoint.Path, candidates) is { } same)
            return Known(identity, same, "recognised by its SHA-256");
        string names = string.Join(", ", candidates.Select(entry => entry.Files[0]));
        if (candidates.All(candidates[0].BehavesLike))
            return Known(identity, candidates[0], $"recognised by its shapes, which {names} share; all are run alike") with
            {
                Entry = null,
            };
        IEnumerable<string> kinds = candidates.Select(entry => entry.Prediction).Distinct();
        return identity with
        {
            Note =
                $"The shapes are those of {names}, which are run differently ({string.Join(" or ", kinds)}), and the file's name "
                + $"does not tell which it is",
        };
    }

    /// <summary>The entry whose published file this is, byte for byte.</summary>
    private static CatalogEntry? SameBytes(string path, CatalogEntry[] candidates)
    {
        if (candidates.All(entry => entry.Sha256 is null) || !File.Exists(path))
            return null;
        using FileStream file = File.OpenRead(path);
        string hash = Convert.ToHexStringLower(SHA256.HashData(file));
        return candidates.FirstOrDefault(entry => entry.Sha256 == hash);
    }

    private static string Stem(string file) => System.IO.Path.GetFileNameWithoutExtension(file);

    private static CheckpointIdentity Known(CheckpointIdentity identity, CatalogEntry entry, string how) =>
        identity with
        {
            Architecture = entry.Architecture,
            Entry = entry,
            Note = $"{entry.Title}: {how}",
            Card = ArchitectureProbe.IsPrior(entry.Architecture) ? entry.Card : null,
        };

    private static CheckpointIdentity Unlisted(CheckpointIdentity identity) =>
        identity.Architecture.Kind switch
        {
            "adm-unet" => Assumed(identity),
            "drunet" => identity with
            {
                Card = CardOf(identity, identity.Architecture.Config, "x0"),
                Note = "A DRUNet that is not in the catalogue",
            },
            "consistency-unet" => identity with
            {
                Note =
                    "A consistency UNet that is not in the catalogue; whether it is a consistency or an EDM model cannot be told "
                    + "from its shapes",
            },
            _ => identity with { Note = $"The file holds {ArchitectureProbe.Describe(identity.Architecture)}" },
        };

    private static CheckpointIdentity Assumed(CheckpointIdentity identity)
    {
        const int HeadChannels = 64;
        JsonObject config = identity.Architecture.Config.DeepClone().AsObject();
        config["num_head_channels"] = HeadChannels;
        config["use_new_attention_order"] = false;
        JsonObject card = CardOf(identity, config, "epsilon");
        card["schedule"] = new JsonObject
        {
            ["type"] = "linear",
            ["beta_start"] = 1e-4,
            ["beta_end"] = 0.02,
            ["steps"] = 1000,
        };
        return identity with
        {
            Architecture = new Architecture(identity.Architecture.Kind, config),
            Card = card,
            Note =
                $"An ADM UNet that is not in the catalogue: heads of {HeadChannels} channels, the usual attention order, epsilon "
                + $"and the linear schedule of 1000 steps are assumed; "
                + "a card.json beside the file can say otherwise",
        };
    }

    private static JsonObject CardOf(CheckpointIdentity identity, JsonObject config, string prediction) =>
        new()
        {
            ["name"] = System.IO.Path.GetFileNameWithoutExtension(identity.Path),
            ["kind"] = identity.Architecture.Kind,
            ["config"] = config.DeepClone(),
            ["prediction"] = prediction,
        };
}
