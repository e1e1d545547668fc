using System.Text.Json.Nodes;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>Which network a file holds, and what of it is known, assumed or undecided.</summary>
/// <param name="Path">The file.</param>
/// <param name="Family">The network's family.</param>
/// <param name="Architecture">The network; constructor arguments that shapes do not show come from the catalogue, or are assumed.</param>
/// <param name="Prefix">What precedes the published names in the file.</param>
/// <param name="Entry">The catalogue's entry; null when the file is not in it or several entries are possible.</param>
/// <param name="Candidates">All entries of this layout.</param>
/// <param name="Note">One sentence for the user: how it was recognised, what was assumed or remains open.</param>
/// <param name="Card">The network in the form of a <c>card.json</c>; null when it cannot be run without a choice, or not at all.</param>
public sealed record CheckpointIdentity(
    string Path,
    NetworkFamily Family,
    Architecture Architecture,
    string Prefix,
    CatalogEntry? Entry,
    IReadOnlyList<CatalogEntry> Candidates,
    string Note,
    JsonObject? Card
)
{
    /// <summary>The advice where there is no card and the network cannot be run as it was recognised.</summary>
    internal const string Wanted = "Give a network that is supported, or put a card.json beside it that says how to run it";

    /// <summary>Whether the card rests on what this file, or files beside it, tell.</summary>
    public bool Own { get; init; }

    /// <summary>The card, or an error that says what is open.</summary>
    /// <param name="families">The networks that the error may name; null: those that ship.</param>
    /// <exception cref="CheckpointException">
    /// The network is not fit for a prior, or several published files fit that are run differently.
    /// </exception>
    public JsonObject RequireCard(NetworkCatalog? families = null)
    {
        if (Card is not null)
            return Card;
        if (Family.Prediction is null)
            throw new CheckpointException(
                $"The file holds {Family.Description}; it cannot be used as a prior",
                Path,
                $"Give the weights of {(families ?? NetworkCatalog.BuiltIn).Priors}"
            );
        throw new CheckpointException(
            Note,
            Path,
            "Give the file its published name, or put a card.json beside it that says prediction and schedule"
        );
    }
}
