using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>A file of a network that restores pictures.</summary>
/// <param name="Path">The weight file.</param>
/// <param name="Architecture">The network.</param>
/// <param name="Note">What was recognised or assumed, a sentence without a full stop; null where a card says it all.</param>
public sealed record PictureNetworkFile(string Path, Architecture Architecture, string? Note)
{
    /// <summary>Finds and recognises a file.</summary>
    /// <param name="nameOrPath">A path, or a name of the catalogue whose file is installed where priors are.</param>
    /// <exception cref="CheckpointException">There is no such file, or it restores no pictures.</exception>
    public static PictureNetworkFile Find(string nameOrPath)
    {
        PriorFiles files = Installed(nameOrPath) is { } installed ? new PriorFiles(installed, null) : PriorFiles.Find(nameOrPath);
        if (files.Card is { } card)
            return new PictureNetworkFile(files.Weights, PriorCard.Read(card).Architecture, null);
        using ICheckpoint weights = Checkpoint.Open(files.Weights);
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(weights)
            ?? throw new CheckpointException("The file is of no network that is known here", files.Weights, "Give the file of a NAFNet");
        if (identity.Entry is { } entry)
            return new PictureNetworkFile(files.Weights, entry.Architecture, identity.Note);
        (JsonObject config, string? assumed) =
            identity.Candidates is [var one, ..] && identity.Candidates.All(one.BehavesLike)
                ? (one.Architecture.Config, null)
                : identity.Family.Complete(identity.Architecture.Config);
        return new PictureNetworkFile(
            files.Weights,
            new Architecture(identity.Family.Kind, config),
            assumed is null ? identity.Note : $"{identity.Note}: {assumed} is assumed"
        );
    }

    /// <summary>Builds the network and loads it.</summary>
    /// <param name="policy">How it computes.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="CheckpointException">It restores no pictures by itself, or the weights do not fit.</exception>
    public PictureNetwork Load(ComputePolicy policy)
    {
        NetworkFamily family = NetworkCatalog.BuiltIn.Find(Architecture.Kind);
        PictureNetwork network =
            family.Prediction is null
            && Guarded(() => family.Create(Architecture.Config, policy)) is PictureNetwork { Channels: not null } built
                ? built
                : throw new CheckpointException(
                    $"The file holds {family.Description} that restores no pictures by itself",
                    Path,
                    "Give the file of a NAFNet that was trained to restore"
                );
        using ICheckpoint file = Checkpoint.Open(Path);
        ICheckpoint weights =
            NetworkCatalog.BuiltIn.Recognize(file) is { } found && found.Family == family ? found.Weights(file) : family.Named(file);
        NetworkWeights.Fill(network, weights);
        return network;
    }

    private Network Guarded(Func<Network> create)
    {
        try
        {
            return create();
        }
        catch (CheckpointException wrong) when (wrong.Where is null)
        {
            throw new CheckpointException(wrong.What, Path, wrong.Remedy, wrong);
        }
    }

    // Published files keep their own names.
    private static string? Installed(string name)
    {
        if (CheckpointCatalog.Default.Entries.FirstOrDefault(e => e.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } entry)
            return null;
        string[] places = [.. PriorFiles.Folders.SelectMany(folder => entry.Files.Select(file => System.IO.Path.Combine(folder, file)))];
        string? found = places
            .SelectMany(place => new[] { place, System.IO.Path.ChangeExtension(place, ".safetensors") })
            .FirstOrDefault(File.Exists);
        if (found is null && entry.Home is { } home && PriorFiles.Names.All(known => known != name))
            throw new CheckpointException(
                $"{entry.Files[0]}, {entry.Title}, is not installed",
                name,
                $"Fetch it (about {entry.SizeMegabytes} MB, {home}) and give its path, or put it into a folder that "
                    + $"{PriorFiles.Variable} names"
            );
        return found;
    }
}
