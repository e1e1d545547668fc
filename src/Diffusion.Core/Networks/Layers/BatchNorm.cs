using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>Batch normalisation (Ioffe and Szegedy 2015) with the statistics that training left behind.</summary>
public sealed class BatchNorm
{
    private readonly Parameter _weight,
        _bias,
        _mean,
        _variance;
    private readonly double _epsilon;

    /// <summary>
    /// Declares <c>NAME.weight</c>, <c>NAME.bias</c>, <c>NAME.running_mean</c> and <c>NAME.running_var</c>, all [channels].
    /// </summary>
    public BatchNorm(Network network, string name, long channels, double epsilon)
    {
        _epsilon = epsilon;
        _weight = network.Declare($"{name}.weight", [channels], Init.Ones, keepFloat32: true);
        _bias = network.Declare($"{name}.bias", [channels], Init.Zeros, keepFloat32: true);
        _mean = network.Declare($"{name}.running_mean", [channels], Init.Zeros, keepFloat32: true);
        _variance = network.Declare($"{name}.running_var", [channels], Init.Ones, keepFloat32: true);
    }

    /// <summary>[N,C,H,W] to [N,C,H,W] in the same dtype; the caller owns it.</summary>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor scale = _weight.Value * (_variance.Value + _epsilon).rsqrt(),
            shift = _bias.Value - _mean.Value * scale;
        return (x * PerChannel(scale) + PerChannel(shift)).to(x.dtype).MoveToOuterDisposeScope();
    }

    private static Tensor PerChannel(Tensor values) => values.unsqueeze(-1).unsqueeze(-1);
}
