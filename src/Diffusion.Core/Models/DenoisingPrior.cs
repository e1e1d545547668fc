using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>A network that is told the noise level, as a denoiser on [-1,1]: it sees (x + 1) / 2 and sigma / 2.</summary>
/// <param name="network">The network, loaded; disposed with the prior.</param>
/// <param name="info">What is known about it.</param>
public sealed class DenoisingPrior(DenoisingNetwork network, PriorInfo info) : IDenoiser
{
    /// <inheritdoc/>
    public PriorInfo Info { get; } =
        info with
        {
            Channels = network.Channels,
            SizeMultiple = network.PaddedMultiple,
            ReceptiveField = network.ReceptiveField ?? info.ReceptiveField,
            Memory = NetworkMemory.Of(network),
        };

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor picture = (x.to(network.Policy.Device) + 1) / 2;
        Tensor input = Padding.ToMultiple(picture, network.PaddedMultiple, Padding.Mode.Replicate);
        Tensor result = Padding.Crop(network.Denoise(input, (condition.NetworkSigma ?? sigma) / 2), x.shape[2], x.shape[3]).contiguous();
        return (result * 2 - 1).to(x.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();
}
