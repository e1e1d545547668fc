namespace Diffusion.Networks.Layers;

/// <summary>Order of the 3C channels of <c>qkv</c>.</summary>
public enum QkvLayout
{
    /// <summary>Cut into heads first, each head's channels into q, k, v: guided-diffusion's legacy order.</summary>
    HeadsFirst,

    /// <summary>Cut into q, k, v first, each into heads.</summary>
    QkvFirst,
}

/// <summary>Self-attention over all pixels with a residual connection: x + proj(softmax(q k^T / sqrt(d)) v).</summary>
public sealed class AttentionBlock : IUNetLayer
{
    private readonly GroupNorm _norm;
    private readonly Linear _qkv,
        _projection;
    private readonly long _heads;
    private readonly QkvLayout _layout;

    /// <summary>Declares <c>norm</c>, <c>qkv</c> and <c>proj_out</c>.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of the block.</param>
    /// <param name="channels">C.</param>
    /// <param name="heads">Number of heads; divides C.</param>
    /// <param name="layout">Order of the channels of <c>qkv</c>.</param>
    /// <param name="kernelRank">Rank of the published 1x1 convolutions: 1 (guided-diffusion) or 2 (consistency models).</param>
    /// <exception cref="ArgumentException">The number of heads does not divide the channels.</exception>
    public AttentionBlock(Network network, string name, long channels, long heads, QkvLayout layout, int kernelRank)
    {
        if (heads < 1 || channels % heads != 0)
            throw new ArgumentException(
                $"{name} would cut {channels} channels into {heads} heads. The number of heads must divide the channels."
            );
        (_heads, _layout) = (heads, layout);
        _norm = new GroupNorm(network, $"{name}.norm", channels);
        _qkv = new Linear(network, $"{name}.qkv", channels, 3 * channels, kernelRank);
        _projection = new Linear(network, $"{name}.proj_out", channels, channels, kernelRank, zero: true);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long n, long channels, long height, long width) = (h.shape[0], h.shape[1], h.shape[2], h.shape[3]);
        (long tokens, long d) = (height * width, channels / _heads);
        Tensor qkv = _qkv.Forward(ChannelsLast.Rows(_norm.Forward(h)).reshape(n, tokens, channels));
        Tensor[] parts =
            _layout == QkvLayout.HeadsFirst
                ? [.. qkv.view(n, tokens, _heads, 3, d).unbind(3)]
                : [.. qkv.view(n, tokens, 3, _heads, d).unbind(2)];
        Tensor y = _projection.Forward(Attention.Mix(parts[0], parts[1], parts[2]));
        return (h + y.view(n, height, width, channels).permute(0, 3, 1, 2)).MoveToOuterDisposeScope();
    }
}
