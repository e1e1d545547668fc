using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
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

    /// <summary>The metadata key under which a converted file keeps what other files, or tensors left out, told of its network.</summary>
    internal const string CardKey = "diffusion.card";

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
        if (Kept(checkpoint, found) is { } kept)
            return Described(identity, kept, "its metadata says how it is run") with { Own = true };
        NetworkFacts facts = Facts(checkpoint, found);
        if (facts.Told is not null)
            return Unlisted(identity, facts);
        if (Find(checkpoint.Metadata.GetValueOrDefault(MetadataKey, checkpoint.Path)) is { } named && candidates.Contains(named))
            return Known(identity, named, "recognised by its name and shapes");
        if (candidates.Length == 0)
            return Unlisted(identity, facts);
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
        if (candidates.All(candidates[0].ComputesLike))
            return Unlisted(identity, facts, $". {names} have these shapes too");
        IEnumerable<string> kinds = candidates.Select(entry => entry.Prediction).Distinct();
        return identity with
        {
            Note =
                $"The shapes are those of {names}, which are run differently ({string.Join(" or ", kinds)}), and the file's name "
                + $"does not tell which it is",
        };
    }

    private static NetworkFacts Facts(ICheckpoint checkpoint, RecognizedNetwork found)
    {
        try
        {
            return found.Family.Describe(checkpoint, found);
        }
        catch (CheckpointException impossible) when (impossible.Where is null)
        {
            throw new CheckpointException(impossible.What, checkpoint.Path, CheckpointIdentity.Wanted, impossible);
        }
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

    private static CheckpointIdentity Unlisted(CheckpointIdentity identity, NetworkFacts facts, string more = "")
    {
        if (identity.Family.Prediction is not { } usual)
            return identity with { Note = $"The file holds {identity.Family.Description}" };
        JsonObject card = new()
        {
            ["name"] = Stem(identity.Path),
            ["kind"] = identity.Family.Kind,
            ["config"] = facts.Config,
            ["prediction"] = Predictions.Name(facts.Prediction ?? usual),
        };
        if (facts.Schedule is { } schedule)
            card["schedule"] = ScheduleCard.Write(schedule);
        string assumed = facts.Assumed is null ? "" : $"{facts.Assumed} are assumed; a card.json beside the file can say otherwise";
        string[] parts = [.. new[] { facts.Told, assumed }.OfType<string>().Where(part => part.Length > 0)];
        return Described(identity, card, parts.Length == 0 ? null : string.Join("; ", parts) + more) with { Own = facts.Told is not null };
    }

    private static CheckpointIdentity Described(CheckpointIdentity identity, JsonObject card, string? how)
    {
        string what = $"The file holds {identity.Family.Description} that is not in the catalogue";
        return identity with
        {
            Architecture = new Architecture(identity.Family.Kind, card["config"]!.AsObject()),
            Card = card,
            Note = how is null ? what : $"{what}: {how}",
        };
    }

    /// <summary>The card that a conversion left in the metadata, where it is of this network.</summary>
    private static JsonObject? Kept(ICheckpoint checkpoint, RecognizedNetwork found)
    {
        if (!checkpoint.Metadata.TryGetValue(CardKey, out string? text))
            return null;
        try
        {
            return
                JsonNode.Parse(text) is JsonObject card
                && card["config"] is JsonObject config
                && (string?)card["kind"] == found.Family.Kind
                && Fits(config)
                ? card
                : null;
        }
        catch (Exception unusable) when (unusable is JsonException or InvalidOperationException or CheckpointException)
        {
            return null;
        }

        bool Fits(JsonObject config)
        {
            using Network network = found.Family.Create(config, null);
            return StateDictLoader.Compare(network.Parameters, checkpoint).Fits;
        }
    }
}
