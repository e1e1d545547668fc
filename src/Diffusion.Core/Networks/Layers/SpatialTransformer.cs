namespace Diffusion.Networks.Layers;

/// <summary>
/// Pixels as tokens that look at each other and at a context: x + proj_out(blocks(proj_in(norm(x)))). Rombach et al., "High-Resolution
/// Image Synthesis with Latent Diffusion Models" (2022).
/// </summary>
public sealed class SpatialTransformer
{
    private const double NormEpsilon = 1e-6;
    private readonly string _name;
    private readonly GroupNorm _norm;
    private readonly Linear _in,
        _out;
    private readonly TransformerBlock[] _blocks;
    private readonly bool _linear;

    /// <summary>Declares <c>norm</c>, <c>proj_in</c>, <c>transformer_blocks.0...</c> and <c>proj_out</c>.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name.</param>
    /// <param name="channels">C of the features.</param>
    /// <param name="heads">Number of heads; divides C.</param>
    /// <param name="context">D of the context's tokens.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="linear">Whether the projections are published as linear layers, or as 1x1 convolutions.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels.</exception>
    public SpatialTransformer(
        Network network,
        string name,
        long channels,
        long heads,
        long context,
        long groups,
        bool linear,
        int blocks = 1
    )
    {
        (_name, _linear) = (name, linear);
        _norm = new GroupNorm(network, $"{name}.norm", channels, groups, NormEpsilon);
        _in = new Linear(network, $"{name}.proj_in", channels, channels, linear ? 0 : 2);
        _blocks =
        [
            .. Enumerable
                .Range(0, blocks)
                .Select(i => new TransformerBlock(network, $"{name}.transformer_blocks.{i}", channels, heads, context)),
        ];
        _out = new Linear(network, $"{name}.proj_out", channels, channels, linear ? 0 : 2);
    }

    /// <summary>Computes the layer.</summary>
    /// <param name="h">[N,C,H,W], borrowed.</param>
    /// <param name="context">[N,T,D], borrowed; null: the features themselves.</param>
    /// <param name="trace">Told <c>NAME.proj_in</c> and the layers of the blocks.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public Tensor Forward(Tensor h, Tensor? context, ModuleTrace? trace = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long n, long channels, long height, long width) = (h.shape[0], h.shape[1], h.shape[2], h.shape[3]);
        Tensor tokens = _in.Forward(ChannelsLast.Rows(_norm.Forward(h)).reshape(n, height * width, channels));
        trace?.Invoke($"{_name}.proj_in", _linear ? tokens : Pixels(tokens));
        foreach (TransformerBlock block in _blocks)
        {
            using Tensor before = tokens;
            tokens = block.Forward(before, context, trace);
        }
        return (h + Pixels(_out.Forward(tokens))).MoveToOuterDisposeScope();

        Tensor Pixels(Tensor of) => of.view(n, height, width, channels).permute(0, 3, 1, 2);
    }
}

/// <summary>x += attn1(norm1(x)); x += attn2(norm2(x), context); x += ff(norm3(x)).</summary>
internal sealed class TransformerBlock(Network network, string name, long channels, long heads, long context)
{
    private readonly LayerNorm _norm1 = new(network, $"{name}.norm1", channels);
    private readonly Attention _self = new(network, AttentionNames.Transformer($"{name}.attn1"), channels, heads);
    private readonly LayerNorm _norm2 = new(network, $"{name}.norm2", channels);
    private readonly Attention _cross = new(network, AttentionNames.Transformer($"{name}.attn2"), channels, heads, context);
    private readonly LayerNorm _norm3 = new(network, $"{name}.norm3", channels);
    private readonly FeedForward _feedForward = new(network, $"{name}.ff", channels);

    /// <summary>[N,T,C] and [N,S,D], borrowed, to [N,T,C]; the caller owns it.</summary>
    public Tensor Forward(Tensor tokens, Tensor? seen, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = Step(tokens, _norm1, y => _self.Forward(y), "attn1");
        x = Step(x, _norm2, y => _cross.Forward(y, seen), "attn2");
        x = Step(x, _norm3, _feedForward.Forward, "ff");
        trace?.Invoke(name, x);
        return x.MoveToOuterDisposeScope();

        Tensor Step(Tensor before, LayerNorm norm, Func<Tensor, Tensor> layer, string part)
        {
            using Tensor y = norm.Forward(before);
            Tensor change = layer(y);
            trace?.Invoke($"{name}.{part}", change);
            if (network.MayFuse)
                return change.add_(before);
            using (change)
                return before + change;
        }
    }
}
