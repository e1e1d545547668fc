using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>What stands at the bottom of encoder and decoder: a residual block, attention, a residual block.</summary>
internal sealed class MiddleOfAutoencoder
{
    private readonly string _name;
    private readonly LatentEncoderNames _names;
    private readonly PixelAttention _attention;
    private readonly ResidualBlock _first,
        _second;

    /// <summary>Declares the attention, then the blocks.</summary>
    public MiddleOfAutoencoder(
        Network network,
        string name,
        LatentEncoderNames names,
        long width,
        long groups,
        double epsilon,
        long heads = 1
    )
    {
        (_name, _names) = (name, names);
        _attention = names.NewAttention(network, $"{name}.{names.MiddleAttention}", width, groups, epsilon, heads);
        _first = names.NewBlock(network, $"{name}.{names.MiddleResnet(0)}", width, width, groups, epsilon);
        _second = names.NewBlock(network, $"{name}.{names.MiddleResnet(1)}", width, width, groups, epsilon);
    }

    /// <summary>[N,C,H,W], borrowed, to [N,C,H,W]; the caller owns it.</summary>
    public Tensor Forward(Tensor h, ModuleTrace? trace)
    {
        using Tensor first = _first.Forward(h);
        trace?.Invoke($"{_name}.{_names.MiddleResnet(0)}", first);
        using Tensor seen = _attention.Forward(first);
        trace?.Invoke($"{_name}.{_names.MiddleAttention}", seen);
        Tensor second = _second.Forward(seen);
        trace?.Invoke($"{_name}.{_names.MiddleResnet(1)}", second);
        return second;
    }
}
