using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>Finds and loads priors.</summary>
public static class PriorLoader
{
    /// <summary>Loads a prior by name or path. What a file without a card is, its names and shapes and the catalogue tell.</summary>
    /// <param name="nameOrPath">A name (<c>photo</c>), a weight file, or a folder with <c>card.json</c> and a weight file.</param>
    /// <param name="policy">How it computes; null: the fastest that the machine's features promise.</param>
    /// <returns>The prior; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">There is none, or it does not load.</exception>
    public static IDenoiser Load(string nameOrPath, ComputePolicy? policy = null)
    {
        policy ??= ComputePolicy.Choose();
        policy.Apply();
        PriorFiles files = PriorFiles.Find(nameOrPath);
        using ICheckpoint checkpoint = Checkpoint.Open(files.Weights);
        PriorCard card = files.Card is { } path ? PriorCard.Read(path) : PriorCard.Recognize(checkpoint);
        return Create(card, checkpoint, policy);
    }

    /// <summary>Builds a prior from what is known about it and its weights.</summary>
    /// <param name="card">Architecture, prediction, schedule.</param>
    /// <param name="weights">Weights under their published names; borrowed.</param>
    /// <param name="policy">How it computes.</param>
    /// <exception cref="CheckpointException">The architecture has no network here, or the weights do not fit.</exception>
    public static IDenoiser Create(PriorCard card, ICheckpoint weights, ComputePolicy policy)
    {
        PriorInfo info = new()
        {
            Name = card.Name,
            Kind = PriorKind.PosteriorMean,
            NoiseRange = card.NoiseRange ?? DefaultRange(card),
            RmseTable = card.RmseTable,
            TrainedSizes = card.TrainedSizes,
            AnyOrientation = card.AnyOrientation,
            TilesBeyond = card.TilesBeyond,
            ReceptiveField = card.ReceptiveField,
            Notes = card.Notes,
        };
        JsonObject config = card.Architecture.Config;
        return card.Architecture.Kind switch
        {
            "adm-unet" => Around(Fill(new AdmUNet(AdmUNetConfig.FromJson(config), policy), weights, ref info)),
            "consistency-unet" => Around(Fill(new ConsistencyUNet(AdmUNetConfig.FromJson(config), policy), weights, ref info)),
            "drunet" => new DruNetPrior(Fill(new DruNet(DruNetConfig.FromJson(config), policy), weights, ref info), info),
            string other => throw new CheckpointException(
                $"A network of kind \"{other}\" cannot be used as a prior",
                weights.Path,
                "Use an ADM UNet, a consistency UNet or a DRUNet"
            ),
        };

        IDenoiser Around(AdmUNet network)
        {
            // Attention in the paths ties a network to the layouts that it was trained on.
            if (info.TilesBeyond is null && network.Config is { AttentionResolutions.Count: > 0, ImageSize: > 0 and int side })
                info = info with { TilesBeyond = 2 * side };
            return card.Prediction switch
            {
                "epsilon" => new EpsilonPrior(network, card.Schedule, info),
                "epsilon-consistency" => new EpsilonPrior(network, card.Schedule, info with { Kind = PriorKind.Consistency }),
                "edm" => new EdmPrior(network, info, card.Scalings),
                "consistency" => new ConsistencyPrior(network, info, card.Scalings),
                string other => throw new CheckpointException(
                    $"The prediction \"{other}\" is not known",
                    weights.Path,
                    "Use epsilon, edm, consistency or epsilon-consistency"
                ),
            };
        }
    }

    /// <summary>Loads a network's weights strictly and lays them out for its kernels. The network is disposed when that fails.</summary>
    private static T Fill<T>(T network, ICheckpoint weights, ref PriorInfo info)
        where T : Network
    {
        try
        {
            LoadReport report = StateDictLoader.Load(network.Parameters, weights, network.Policy.NetworkDtype, network.Policy.Device);
            info = info with { Notes = [.. info.Notes, .. report.Notes] };
            network.Arrange();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static (double Min, double Max) DefaultRange(PriorCard card) =>
        card.Architecture.Kind switch
        {
            "drunet" => (0, 100 / 127.5),
            _ when card.Prediction is "epsilon" or "epsilon-consistency" => (
                card.Schedule.Sigma(0),
                card.Schedule.Sigma(card.Schedule.Steps - 1)
            ),
            _ => (0.002, 80),
        };
}
