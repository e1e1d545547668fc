using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Models;

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
    /// <param name="checkpoint">The file; borrowed.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <returns>What is known; null when the weights are of no known family.</returns>
    public CheckpointIdentity? Identify(ICheckpoint checkpoint, NetworkCatalog? families = null)
    {
        if ((families ?? NetworkCatalog.BuiltIn).Recognize(checkpoint) is not { } found)
            return null;
        CatalogEntry[] candidates = [.. Entries.Where(entry => entry.HasLayout(found))];
        CheckpointIdentity identity = new(checkpoint.Path, found.Family, found.Architecture, found.Prefix, null, candidates, "", null);
        if (Find(checkpoint.Metadata.GetValueOrDefault(MetadataKey, checkpoint.Path)) is { } named && candidates.Contains(named))
            return Known(identity, named, "recognised by its name and shapes");
        if (candidates.Length == 0)
            return Unlisted(identity, found);
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
            Card = identity.Family.Prediction is not null ? entry.Card : null,
        };

    private static CheckpointIdentity Unlisted(CheckpointIdentity identity, RecognizedNetwork found)
    {
        if (found.Family.Prediction is not { } prediction)
            return identity with { Note = $"The file holds {found.Family.Description}" };
        (JsonObject config, string? assumed) = found.Family.Complete(found.Config);
        string what = $"The file holds {found.Family.Description} that is not in the catalogue";
        return identity with
        {
            Architecture = new Architecture(found.Family.Kind, config),
            Card = new JsonObject
            {
                ["name"] = Stem(identity.Path),
                ["kind"] = found.Family.Kind,
                ["config"] = config.DeepClone(),
                ["prediction"] = Predictions.Name(prediction),
            },
            Note = assumed is null ? what : $"{what}: {assumed} are assumed; a card.json beside the file can say otherwise",
        };
    }
}
