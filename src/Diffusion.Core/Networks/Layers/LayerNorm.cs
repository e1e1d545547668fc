using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>Layer normalisation of the last dimension (Ba, Kiros and Hinton 2016). Statistics and arithmetic are float32.</summary>
public sealed class LayerNorm
{
    private readonly Parameter _weight,
        _bias;
    private readonly long _channels;
    private readonly double _epsilon;

    /// <summary>Declares <c>NAME.weight</c> and <c>NAME.bias</c>, both [channels].</summary>
    public LayerNorm(Network network, string name, long channels, double epsilon = 1e-5)
    {
        (_channels, _epsilon) = (channels, epsilon);
        _weight = network.Declare($"{name}.weight", [channels], Init.Ones, keepFloat32: true);
        _bias = network.Declare($"{name}.bias", [channels], Init.Zeros, keepFloat32: true);
    }

    /// <summary>[..., channels] in any floating dtype, borrowed; the result has its shape and dtype, and the caller owns it.</summary>
    public Tensor Forward(Tensor x)
    {
        if (x.dtype == ScalarType.Float32)
            return torch.nn.functional.layer_norm(x, [_channels], _weight.Value, _bias.Value, _epsilon);
        using Tensor wide = x.to(ScalarType.Float32),
            y = torch.nn.functional.layer_norm(wide, [_channels], _weight.Value, _bias.Value, _epsilon);
        return y.to(x.dtype);
    }
}
