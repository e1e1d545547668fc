namespace Diffusion.Metrics;

/// <summary>The classification networks that LPIPS reads features from.</summary>
public enum LpipsNet
{
    /// <summary>AlexNet.</summary>
    Alex,

    /// <summary>VGG-16.</summary>
    Vgg,

    /// <summary>SqueezeNet 1.1.</summary>
    Squeeze,
}

/// <summary>A trunk as slices of torchvision's <c>features</c>; each slice ends in a ReLU whose output is one feature map.</summary>
internal static class LpipsTrunk
{
    /// <summary>One layer; <paramref name="Index"/> is its place in torchvision's <c>features</c>.</summary>
    internal abstract record Layer(int Index);

    /// <summary>Convolution and ReLU.</summary>
    internal sealed record Conv(int Index, int Stride = 1, int Padding = 1) : Layer(Index);

    /// <summary>Maximum pooling with stride 2.</summary>
    internal sealed record Pool(int Index, int Size, bool Ceil = false) : Layer(Index);

    /// <summary>SqueezeNet's module: 1x1 squeeze, then 1x1 and 3x3 expansions side by side.</summary>
    internal sealed record Fire(int Index) : Layer(Index);

    /// <summary>The slices of a network.</summary>
    public static Layer[][] Slices(LpipsNet net) =>
        net switch
        {
            LpipsNet.Alex =>
            [
                [new Conv(0, Stride: 4, Padding: 2)],
                [new Pool(2, 3), new Conv(3, Padding: 2)],
                [new Pool(5, 3), new Conv(6)],
                [new Conv(8)],
                [new Conv(10)],
            ],
            LpipsNet.Vgg =>
            [
                [new Conv(0), new Conv(2)],
                [new Pool(4, 2), new Conv(5), new Conv(7)],
                [new Pool(9, 2), new Conv(10), new Conv(12), new Conv(14)],
                [new Pool(16, 2), new Conv(17), new Conv(19), new Conv(21)],
                [new Pool(23, 2), new Conv(24), new Conv(26), new Conv(28)],
            ],
            LpipsNet.Squeeze =>
            [
                [new Conv(0, Stride: 2, Padding: 0)],
                [new Pool(2, 3, Ceil: true), new Fire(3), new Fire(4)],
                [new Pool(5, 3, Ceil: true), new Fire(6), new Fire(7)],
                [new Pool(8, 3, Ceil: true), new Fire(9)],
                [new Fire(10)],
                [new Fire(11)],
                [new Fire(12)],
            ],
            _ => throw new ArgumentException($"Unknown LPIPS network {net}.", nameof(net)),
        };

    /// <summary>Channels of the feature maps at full width.</summary>
    public static int[] Channels(LpipsNet net) =>
        net switch
        {
            LpipsNet.Alex => [64, 192, 384, 256, 256],
            LpipsNet.Vgg => [64, 128, 256, 512, 512],
            _ => [64, 128, 256, 384, 384, 512, 512],
        };

    /// <summary>The smallest side that leaves at least one pixel after the last pooling.</summary>
    public static int SmallestSide(LpipsNet net) =>
        net switch
        {
            LpipsNet.Alex => 31,
            LpipsNet.Vgg => 16,
            _ => 17,
        };

    /// <summary>The parameters of a layer, after the layer's own name.</summary>
    public static string[] Parameters(Layer layer) =>
        layer switch
        {
            Conv => ["weight", "bias"],
            Fire => ["squeeze.weight", "squeeze.bias", "expand1x1.weight", "expand1x1.bias", "expand3x3.weight", "expand3x3.bias"],
            _ => [],
        };

    /// <summary>Computes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x">[N,C,H,W].</param>
    /// <param name="weights">Its parameters by name.</param>
    public static Tensor Forward(Layer layer, Tensor x, Func<string, Tensor> weights)
    {
        Tensor Convolve(Tensor input, string prefix, int stride, int padding) =>
            torch
                .nn.functional.conv2d(
                    input,
                    weights(prefix + "weight"),
                    weights(prefix + "bias"),
                    strides: [stride, stride],
                    padding: [padding, padding]
                )
                .relu_();
        switch (layer)
        {
            case Conv conv:
                return Convolve(x, "", conv.Stride, conv.Padding);
            case Pool pool:
                return torch.nn.functional.max_pool2d(x, pool.Size, 2, ceil_mode: pool.Ceil);
            default:
                Tensor squeezed = Convolve(x, "squeeze.", 1, 0);
                return torch.cat([Convolve(squeezed, "expand1x1.", 1, 0), Convolve(squeezed, "expand3x3.", 1, 1)], 1);
        }
    }
}
