namespace Diffusion.Networks.Layers;

/// <summary>Self-attention over all pixels with a residual connection: x + attention(norm(x)), as autoencoders have it.</summary>
public sealed class PixelAttention
{
    private readonly GroupNorm _norm;
    private readonly Attention _attention;

    /// <summary>Declares the norm and the four projections, all with biases.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="norm">Published name of the norm.</param>
    /// <param name="names">Published names of the projections.</param>
    /// <param name="channels">C.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="heads">Number of heads; divides C.</param>
    /// <param name="kernelRank">Rank of published 1x1 convolutions; 0: linear layers.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels.</exception>
    public PixelAttention(
        Network network,
        string norm,
        AttentionNames names,
        long channels,
        long groups,
        double epsilon,
        long heads = 1,
        int kernelRank = 0
    )
    {
        _norm = new GroupNorm(network, norm, channels, groups, epsilon);
        _attention = new Attention(network, names, channels, heads, bias: true, kernelRank: kernelRank);
    }

    /// <summary>[N,C,H,W], borrowed, to [N,C,H,W]; the caller owns it.</summary>
    public Tensor Forward(Tensor h)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long n, long channels, long height, long width) = (h.shape[0], h.shape[1], h.shape[2], h.shape[3]);
        Tensor tokens = ChannelsLast.Rows(_norm.Forward(h)).reshape(n, height * width, channels);
        Tensor y = _attention.Forward(tokens);
        return (h + y.view(n, height, width, channels).permute(0, 3, 1, 2)).MoveToOuterDisposeScope();
    }
}
