using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Fills networks with weights.</summary>
public static class NetworkWeights
{
    /// <summary>Loads weights strictly and lays them out for the network's kernels.</summary>
    /// <param name="network">The network; disposed when this fails.</param>
    /// <param name="weights">Weights under their published names below any prefix; borrowed.</param>
    /// <param name="families">The families that an error may name; null: those that ship.</param>
    /// <returns>What was loaded, with notes for the user.</returns>
    /// <exception cref="CheckpointException">
    /// Names or shapes differ (the message says what the file holds instead), a weight is NaN or infinite, or the file is damaged.
    /// </exception>
    public static LoadReport Fill(Network network, ICheckpoint weights, NetworkCatalog? families = null)
    {
        try
        {
            LoadReport report = StateDictLoader.Load(network.Parameters, weights, network.Policy.NetworkDtype, network.Policy.Device, () =>
                (families ?? NetworkCatalog.BuiltIn).Recognize(weights) is { } found
                    ? $"The file holds {found.Family.Description}; choose the network that fits it"
                    : null
            );
            network.Arrange();
            return report;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
