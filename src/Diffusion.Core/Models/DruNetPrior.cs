using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>A DRUNet as a denoiser on [-1,1]: the network sees (x + 1) / 2 and a map of sigma / 2.</summary>
/// <param name="network">The network, loaded; disposed with the prior.</param>
/// <param name="info">What is known about it.</param>
public sealed class DruNetPrior(DruNet network, PriorInfo info) : IDenoiser
{
    /// <summary>Published code pads to this, by repeating the border.</summary>
    private const int PadMultiple = 16;

    /// <inheritdoc/>
    public PriorInfo Info { get; } =
        info with
        {
            Channels = network.Config.Outputs,
            SizeMultiple = PadMultiple,
            ReceptiveField = network.Config.ReceptiveField,
        };

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor picture = (x.to(network.Policy.Device) + 1) / 2;
        Tensor map = torch.full(
            [x.shape[0], 1, x.shape[2], x.shape[3]],
            (condition.NetworkSigma ?? sigma) / 2,
            ScalarType.Float32,
            picture.device
        );
        Tensor input = Padding.ToMultiple(torch.cat([picture, map], dim: 1), PadMultiple, Padding.Mode.Replicate);
        Tensor result = Padding.Crop(network.Forward(input), x.shape[2], x.shape[3]).contiguous();
        return (result * 2 - 1).to(x.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();
}
