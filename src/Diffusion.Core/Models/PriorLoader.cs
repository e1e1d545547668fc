using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>Finds and loads priors.</summary>
public static class PriorLoader
{
    /// <summary>Loads a prior by name or path. What a file without a card is, its names and shapes and the catalogue tell.</summary>
    /// <param name="nameOrPath">A name (<c>photo</c>), a weight file, or a folder with <c>card.json</c> and a weight file.</param>
    /// <param name="policy">How it computes; null: the fastest that the machine's features promise.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <returns>The prior; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">There is none, or it does not load.</exception>
    public static IDenoiser Load(string nameOrPath, ComputePolicy? policy = null, NetworkCatalog? families = null)
    {
        policy ??= ComputePolicy.Choose();
        policy.Apply();
        PriorFiles files = PriorFiles.Find(nameOrPath);
        using ICheckpoint checkpoint = Checkpoint.Open(files.Weights);
        PriorCard card = files.Card is { } path ? PriorCard.Read(path) : PriorCard.Recognize(checkpoint, families);
        return Create(card, checkpoint, policy, families);
    }

    /// <summary>Builds a prior from what is known about it and its weights.</summary>
    /// <param name="card">Architecture, prediction, schedule.</param>
    /// <param name="weights">Weights under their published names; borrowed.</param>
    /// <param name="policy">How it computes.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <returns>The prior; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">
    /// There is no such network here, it estimates no pictures, or the weights do not fit.
    /// </exception>
    public static IDenoiser Create(PriorCard card, ICheckpoint weights, ComputePolicy policy, NetworkCatalog? families = null)
    {
        families ??= NetworkCatalog.BuiltIn;
        NetworkFamily family = families.Find(card.Architecture.Kind);
        if ((family.Prediction is null ? null : card.Prediction ?? family.Prediction) is not { } prediction)
            throw new CheckpointException(
                $"A network of kind \"{family.Kind}\" cannot be used as a prior",
                weights.Path,
                $"Use {families.Priors}"
            );
        Network network = Built(family, card, weights.Path, policy);
        LoadReport report = NetworkWeights.Fill(network, weights, families);
        PriorInfo info = new()
        {
            Name = card.Name,
            Kind = prediction is Prediction.Consistency or Prediction.EpsilonConsistency ? PriorKind.Consistency : PriorKind.PosteriorMean,
            NoiseRange = card.NoiseRange ?? DefaultRange(network, prediction, card.Schedule),
            TrainedSizes = card.TrainedSizes,
            AnyOrientation = card.AnyOrientation,
            TilesBeyond = card.TilesBeyond,
            ReceptiveField = card.ReceptiveField,
            Notes = [.. card.Notes, .. report.Notes],
        };
        return (network, prediction) switch
        {
            (DenoisingNetwork denoiser, _) => new DenoisingPrior(denoiser, info),
            (DiffusionNetwork diffusion, Prediction.Edm) => new EdmPrior(diffusion, info, card.Scalings),
            (DiffusionNetwork diffusion, Prediction.Consistency) => new ConsistencyPrior(diffusion, info, card.Scalings),
            (DiffusionNetwork diffusion, _) => new VpPrior(diffusion, card.Schedule, info, prediction: prediction),
            _ => throw new InvalidOperationException(
                $"{network.GetType()} says that it predicts {Predictions.Name(prediction)}, but is neither a DiffusionNetwork nor a "
                    + "DenoisingNetwork."
            ),
        };
    }

    private static Network Built(NetworkFamily family, PriorCard card, string weights, ComputePolicy policy)
    {
        try
        {
            return family.Create(card.Architecture.Config, policy);
        }
        catch (CheckpointException impossible) when (impossible.Where is null)
        {
            throw card.Path is { } path
                ? new CheckpointException(impossible.What, path, PriorCard.Remedy, impossible)
                : new CheckpointException(impossible.What, weights, CheckpointIdentity.Wanted, impossible);
        }
    }

    private static (double Min, double Max) DefaultRange(Network network, Prediction prediction, NoiseSchedule schedule) =>
        (network, prediction) switch
        {
            (DenoisingNetwork denoiser, _) => (2 * denoiser.NoiseRange.Min, 2 * denoiser.NoiseRange.Max),
            (_, Prediction.Edm or Prediction.Consistency) => (0.002, 80),
            // A schedule may end without any signal, at infinite noise.
            _ => (schedule.Sigma(0), Enumerable.Range(0, schedule.Steps).Select(schedule.Sigma).Last(double.IsFinite)),
        };
}
