namespace Diffusion.Networks.Layers;

/// <summary>The gated layer of transformers: W2 (a * gelu(b)), where a and b are the halves of W1 x (Shazeer 2020).</summary>
public sealed class FeedForward
{
    private readonly Network _network;
    private readonly Linear _in,
        _out;

    /// <summary>Declares <c>net.0.proj</c> [8C, C] and <c>net.2</c> [C, 4C].</summary>
    public FeedForward(Network network, string name, long channels)
    {
        _network = network;
        _in = new Linear(network, $"{name}.net.0.proj", channels, 8 * channels);
        _out = new Linear(network, $"{name}.net.2", 4 * channels, channels);
    }

    /// <summary>[N,T,C], borrowed, to [N,T,C]; the caller owns it.</summary>
    public Tensor Forward(Tensor tokens)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] halves = _in.Forward(tokens).chunk(2, dim: -1);
        Tensor gate = torch.nn.functional.gelu(halves[1]);
        return _out.Forward(_network.MayFuse ? gate.mul_(halves[0]) : gate * halves[0]).MoveToOuterDisposeScope();
    }
}
