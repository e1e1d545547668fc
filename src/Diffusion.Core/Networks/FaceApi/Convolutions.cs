using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;

namespace Diffusion.Networks.FaceApi;

/// <summary>A convolution with TensorFlow's padding, in face-api's names.</summary>
internal sealed class Convolution(Network network, string name, long inputs, long outputs, long kernel, long stride = 1, bool same = true)
{
    private readonly Parameter _filters = network.Declare(
            $"{name}/filters",
            [outputs, inputs, kernel, kernel],
            Init.FanIn(inputs * kernel * kernel)
        ),
        _bias = network.Declare($"{name}/bias", [outputs], Init.FanIn(inputs * kernel * kernel));

    /// <summary>[N,inputs,H,W] to [N,outputs,H',W'].</summary>
    public Tensor Forward(Tensor x) =>
        torch.nn.functional.conv2d(same ? Same.Pad(x, kernel, stride) : x, _filters.Value, _bias.Value, strides: [stride, stride]);
}

/// <summary>A depth-wise 3x3 convolution, then a point-wise one with the bias.</summary>
internal sealed class SeparableConvolution(Network network, string name, long inputs, long outputs, long stride = 1)
{
    private const long Kernel = 3;

    private readonly Parameter _depthwise = network.Declare(
            $"{name}/depthwise_filter",
            [inputs, 1, Kernel, Kernel],
            Init.FanIn(Kernel * Kernel)
        ),
        _pointwise = network.Declare($"{name}/pointwise_filter", [outputs, inputs, 1, 1], Init.FanIn(inputs)),
        _bias = network.Declare($"{name}/bias", [outputs], Init.FanIn(inputs));

    /// <summary>[N,inputs,H,W] to [N,outputs,H',W'].</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor depth = torch.nn.functional.conv2d(Same.Pad(x, Kernel, stride), _depthwise.Value, strides: [stride, stride], groups: inputs);
        return torch.nn.functional.conv2d(depth, _pointwise.Value, _bias.Value);
    }
}

/// <summary>A convolution with bias, then one factor and one addend per channel (a folded batch norm).</summary>
internal sealed class ScaledConvolution
{
    private readonly Convolution _convolution;
    private readonly Parameter _weights,
        _biases;

    public ScaledConvolution(Network network, string name, long inputs, long outputs, long kernel = 3, long stride = 1, bool same = true)
    {
        _convolution = new Convolution(network, $"{name}/conv", inputs, outputs, kernel, stride, same);
        _weights = network.Declare($"{name}/scale/weights", [outputs], Init.Ones);
        _biases = network.Declare($"{name}/scale/biases", [outputs], Init.Zeros);
    }

    /// <summary>[N,inputs,H,W] to [N,outputs,H',W'].</summary>
    public Tensor Forward(Tensor x) => _convolution.Forward(x) * _weights.Value.reshape(1, -1, 1, 1) + _biases.Value.reshape(1, -1, 1, 1);
}

/// <summary>TensorFlow's padding that keeps ceil(size / stride): the smaller half comes first.</summary>
internal static class Same
{
    /// <summary>Pads [N,C,H,W] with a constant.</summary>
    public static Tensor Pad(Tensor x, long kernel, long stride, double value = 0)
    {
        (long top, long bottom) = Sides(x.shape[2], kernel, stride);
        (long left, long right) = Sides(x.shape[3], kernel, stride);
        return top + bottom + left + right == 0 ? x : torch.nn.functional.pad(x, [left, right, top, bottom], value: value);
    }

    private static (long Before, long After) Sides(long size, long kernel, long stride)
    {
        long total = Math.Max(0, ((size + stride - 1) / stride - 1) * stride + kernel - size);
        return (total / 2, total - total / 2);
    }
}
