using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>A linear map of the last dimension, computed in the dtype of its weights. Returned tensors belong to the caller.</summary>
public sealed class Linear
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly bool _isConvolution;

    /// <summary>Declares <c>NAME.weight</c> [outputs, inputs] and <c>NAME.bias</c> [outputs].</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name.</param>
    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="kernelRank">
    /// Number of trailing dimensions of size 1 of the published weight: 1 or 2 where the published layer is a 1x1 convolution in one or two
    /// dimensions.
    /// </param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="zero">Starts training at zero.</param>
    /// <param name="keepFloat32">Stays float32.</param>
    public Linear(
        Network network,
        string name,
        long inputs,
        long outputs,
        int kernelRank = 0,
        bool bias = true,
        bool zero = false,
        bool keepFloat32 = false
    )
    {
        Init init = zero ? Init.Zeros : Init.FanIn(inputs);
        _weight = network.Declare($"{name}.weight", [outputs, inputs, .. Enumerable.Repeat(1L, kernelRank)], init, keepFloat32);
        _bias = bias ? network.Declare($"{name}.bias", [outputs], init, keepFloat32) : null;
        _isConvolution = kernelRank > 0;
    }

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Tensor Forward(Tensor x)
    {
        if (!_isConvolution && x.dtype == _weight.Value.dtype)
            return torch.nn.functional.linear(x, _weight.Value, _bias?.Value);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor weight = _isConvolution ? _weight.Value.flatten(1) : _weight.Value;
        return torch.nn.functional.linear(x.to(weight.dtype), weight, _bias?.Value).MoveToOuterDisposeScope();
    }
}
