using Diffusion.Checkpoints;
using Diffusion.Networks.Kernels;

namespace Diffusion.Networks.Layers;

/// <summary>
/// A two-dimensional convolution (cross-correlation) with zero padding, computed in the dtype of its weights. Returned tensors belong to
/// the caller.
/// </summary>
public sealed class Conv2d : IUNetLayer
{
    private const int WideProduct = 1024;

    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly Network _network;
    private readonly bool _isPlain,
        _isWideProduct;
    private readonly long[] _strides,
        _paddings,
        _dilations;
    private readonly ScalarType? _result;
    private readonly int _groups;
    private readonly Func<Tensor, Tensor>? _reweight;

    /// <summary>Declares <c>NAME.weight</c> [outputs, inputs, kernel, kernel] and <c>NAME.bias</c> [outputs].</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">Side of the kernel.</param>
    /// <param name="stride">Step in both directions.</param>
    /// <param name="padding">Zeros on each side; null: half of what the kernel spans, which keeps the size.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="zero">Starts training at zero.</param>
    /// <param name="keepFloat32">Stays float32.</param>
    /// <param name="result">Dtype of the result; null: that of the weights.</param>
    /// <param name="groups">
    /// Each output channel sees only its share of the input channels; as many groups as channels make a depth-wise convolution.
    /// </param>
    /// <param name="dilation">Pixels from one of the kernel's taps to the next.</param>
    /// <param name="reweight">What the weights become before they are used; null: they stay as they are.</param>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public Conv2d(
        Network network,
        string name,
        long inputs,
        long outputs,
        int kernel = 3,
        int stride = 1,
        int? padding = null,
        bool bias = true,
        bool zero = false,
        bool keepFloat32 = false,
        ScalarType? result = null,
        int groups = 1,
        int dilation = 1,
        Func<Tensor, Tensor>? reweight = null
    )
    {
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
            throw new ArgumentException(
                $"{name} would cut {inputs} input and {outputs} output channels into {groups} groups. The groups must divide both."
            );
        Init init = zero ? Init.Zeros : Init.FanIn(inputs / groups * kernel * kernel);
        _weight = network.Declare($"{name}.weight", [outputs, inputs / groups, kernel, kernel], init, keepFloat32);
        _bias = bias ? network.Declare($"{name}.bias", [outputs], init, keepFloat32) : null;
        (_network, _isPlain) = (
            network,
            kernel == 3 && stride == 1 && padding is null or 1 && groups == 1 && dilation == 1 && reweight is null
        );
        _isWideProduct = kernel == 1 && stride == 1 && padding is null or 0 && groups == 1 && Math.Max(inputs, outputs) >= WideProduct;
        int zeros = padding ?? kernel / 2 * dilation;
        (_strides, _paddings, _dilations) = ([stride, stride], [zeros, zeros], [dilation, dilation]);
        (_result, _groups, _reweight) = (result, groups, reweight);
    }

    /// <summary>[N,inputs,H,W] to [N,outputs,H',W'].</summary>
    public Tensor Forward(Tensor x)
    {
        if (_reweight is null)
            return Forward(x, _weight.Value);
        using Tensor weight = _reweight(_weight.Value);
        return Forward(x, weight);
    }

    private Tensor Forward(Tensor x, Tensor weight)
    {
        if (x.dtype != weight.dtype)
        {
            using Tensor converted = x.to(weight.dtype);
            return Forward(converted, weight);
        }
        Tensor y = ByOwnKernel(x, weight)
            ?? ByProduct(x, weight)
            ?? torch.nn.functional.conv2d(x, weight, _bias?.Value, _strides, _paddings, _dilations, groups: _groups);
        if (_result is not { } wanted || y.dtype == wanted)
            return y;
        using (y)
            return y.to(wanted);
    }

    /// <summary>
    /// A wide 1x1 convolution in bfloat16 as the product that it is: libtorch 2.10 ends the process with a division by zero in those of,
    /// for example, 512 to 1024 channels in channels-last memory.
    /// </summary>
    private Tensor? ByProduct(Tensor x, Tensor weight)
    {
        if (!_isWideProduct || weight.dtype != ScalarType.BFloat16)
            return null;
        using DisposeScope scope = torch.NewDisposeScope();
        return torch
            .nn.functional.linear(ChannelsLast.Rows(x), weight.flatten(1), _bias?.Value)
            .permute(0, 3, 1, 2)
            .MoveToOuterDisposeScope();
    }

    private Tensor? ByOwnKernel(Tensor x, Tensor weight)
    {
        if (!_isPlain || !_network.MayFuse)
            return null;
        if (ThinConvolution.Applies(x, weight))
            return ThinConvolution.Forward(x, weight, _bias?.Value);
        return WinogradConvolution.Applies(x, weight) ? WinogradConvolution.Forward(x, weight, _bias?.Value) : null;
    }

    Tensor IUNetLayer.Forward(Tensor h, Tensor embedding, Tensor? context) => Forward(h);
}
