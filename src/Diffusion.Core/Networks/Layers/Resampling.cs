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

/// <summary>Halves a picture: a 3x3 convolution of stride 2, or means of 2x2 squares.</summary>
/// <param name="network">Where to declare the convolution.</param>
/// <param name="name">Published name.</param>
/// <param name="channels">C.</param>
/// <param name="convolve">Whether there is a convolution.</param>
/// <param name="layer">The convolution's name below <paramref name="name"/>.</param>
/// <param name="padding">Zeros on each side; 0: one row at the bottom and one column at the right.</param>
public sealed class Downsample(Network network, string name, long channels, bool convolve, string layer = "op", int padding = 1)
    : IUNetLayer
{
    private readonly Conv2d? _convolution = convolve
        ? new Conv2d(network, $"{name}.{layer}", channels, channels, stride: 2, padding: padding)
        : null;

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null)
    {
        if (_convolution is null)
            return Resampling.Halve(h);
        if (padding > 0)
            return _convolution.Forward(h);
        using Tensor wider = torch.nn.functional.pad(h, [0L, 1L, 0L, 1L]),
            arranged = ChannelsLast.Of(wider);
        return _convolution.Forward(arranged);
    }
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
