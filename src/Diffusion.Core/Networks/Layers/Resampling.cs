namespace Diffusion.Networks.Layers;

/// <summary>Halving and doubling of pictures without weights.</summary>
public static class Resampling
{
    /// <summary>Means of 2x2 squares: [N,C,H,W] to [N,C,H/2,W/2]; the caller owns it.</summary>
    public static Tensor Halve(Tensor x) => torch.nn.functional.avg_pool2d(x, 2, 2);

    /// <summary>Every pixel becomes a 2x2 square: [N,C,H,W] to [N,C,2H,2W]; the caller owns it.</summary>
    public static Tensor Double(Tensor x) =>
        torch.nn.functional.interpolate(x, scale_factor: [2, 2], mode: torch.InterpolationMode.Nearest);
}

/// <summary>Halves a picture: a 3x3 convolution of stride 2 (<c>op</c>), or means of 2x2 squares.</summary>
public sealed class Downsample(Network network, string name, long channels, bool convolve) : IUNetLayer
{
    private readonly Conv2d? _convolution = convolve ? new Conv2d(network, $"{name}.op", channels, channels, stride: 2) : null;

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null) => _convolution?.Forward(h) ?? Resampling.Halve(h);
}

/// <summary>Doubles a picture by repetition, followed by a 3x3 convolution (<c>conv</c>) where asked for.</summary>
public sealed class Upsample(Network network, string name, long channels, bool convolve) : IUNetLayer
{
    private readonly Conv2d? _convolution = convolve ? new Conv2d(network, $"{name}.conv", channels, channels) : null;

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null)
    {
        if (_convolution is null)
            return Resampling.Double(h);
        using Tensor large = Resampling.Double(h);
        return _convolution.Forward(large);
    }
}
