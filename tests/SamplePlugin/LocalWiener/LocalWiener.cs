using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace SamplePlugin;

/// <summary>
/// Wiener's filter around a local mean: with m the mean of a window and v the variance of a channel's detail, the estimate of the clean
/// picture is m + v / (v + sigma^2) (x - m).
/// </summary>
/// <remarks>
/// A network that is told the noise level derives <see cref="DenoisingNetwork"/>; one that is told a time derives
/// <see cref="DiffusionNetwork"/>. Weights are declared under the names that files have; everything else follows from the family.
/// </remarks>
public sealed class LocalWiener : DenoisingNetwork
{
    private readonly LocalWienerConfig _config;
    private readonly Parameter _mean,
        _detail;

    /// <summary>Declares the weights.</summary>
    public LocalWiener(LocalWienerConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        _config = config;
        _mean = Declare("mean.weight", [config.Channels, 1, config.Window, config.Window], keepFloat32: true);
        _detail = Declare("detail", [config.Channels], keepFloat32: true);
    }

    /// <inheritdoc/>
    public override int Channels => _config.Channels;

    /// <inheritdoc/>
    public override int? ReceptiveField => _config.Window;

    /// <inheritdoc/>
    public override (double Min, double Max) NoiseRange => (0, 1);

    /// <summary>The picture, its padded copy, the mean, and the result.</summary>
    public override double ValuesPerPixel => 4 * Channels;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long border = _config.Window / 2;
        Tensor padded = torch.nn.functional.pad(x, [border, border, border, border], PaddingModes.Replicate),
            m = torch.nn.functional.conv2d(padded, _mean.Value, groups: Channels),
            v = _detail.Value.reshape(1, -1, 1, 1);
        return (m + v / (v + sigma * sigma) * (x - m)).MoveToOuterDisposeScope();
    }
}
