namespace Diffusion.Networks.Layers;

/// <summary>The published names of the four projections of an attention layer.</summary>
/// <param name="Query">Of what looks.</param>
/// <param name="Key">Of what is looked at.</param>
/// <param name="Value">Of what is fetched.</param>
/// <param name="Output">Of the mixture.</param>
public sealed record AttentionNames(string Query, string Key, string Value, string Output)
{
    /// <summary><c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>: transformers of Stable Diffusion, and all of diffusers.</summary>
    public static AttentionNames Transformer(string name) => new($"{name}.to_q", $"{name}.to_k", $"{name}.to_v", $"{name}.to_out.0");

    /// <summary><c>query</c>, <c>key</c>, <c>value</c>, <c>proj_attn</c>: pixels in files of diffusers of before May 2023.</summary>
    public static AttentionNames Early(string name) => new($"{name}.query", $"{name}.key", $"{name}.value", $"{name}.proj_attn");

    /// <summary><c>q</c>, <c>k</c>, <c>v</c>, <c>proj_out</c>: autoencoders and the UNets of Ho et al.</summary>
    public static AttentionNames Pixels(string name) => new($"{name}.q", $"{name}.k", $"{name}.v", $"{name}.proj_out");

    /// <summary><c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>, <c>out_proj</c>: CLIP in Hugging Face's files.</summary>
    public static AttentionNames Clip(string name) => new($"{name}.q_proj", $"{name}.k_proj", $"{name}.v_proj", $"{name}.out_proj");
}

/// <summary>
/// Attention with a projection each for queries, keys and values: W_o softmax(q k^T / sqrt(d)) v. Tokens look at each other, or at a
/// context (cross-attention).
/// </summary>
public sealed class Attention
{
    private readonly Linear _query,
        _key,
        _value,
        _output;
    private readonly long _heads;
    private readonly bool _causal;

    /// <summary>Declares the four projections.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="names">Their published names.</param>
    /// <param name="channels">C of the tokens.</param>
    /// <param name="heads">Number of heads; divides <paramref name="inner"/>.</param>
    /// <param name="context">D of the context; null: tokens look at each other.</param>
    /// <param name="inner">Width of queries, keys and values; null: C.</param>
    /// <param name="bias">Whether the first three have biases; the last always has.</param>
    /// <param name="kernelRank">Rank of published 1x1 convolutions; 0: linear layers.</param>
    /// <param name="causal">Whether each token sees itself and those before it only.</param>
    /// <exception cref="ArgumentException">The heads do not divide the width.</exception>
    public Attention(
        Network network,
        AttentionNames names,
        long channels,
        long heads,
        long? context = null,
        long? inner = null,
        bool bias = false,
        int kernelRank = 0,
        bool causal = false
    )
    {
        long width = inner ?? channels;
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException(
                $"{names.Query} would be cut into {heads} heads of {width} channels together. The number of heads must divide the channels."
            );
        (_heads, _causal) = (heads, causal);
        _query = new Linear(network, names.Query, channels, width, kernelRank, bias);
        _key = new Linear(network, names.Key, context ?? channels, width, kernelRank, bias);
        _value = new Linear(network, names.Value, context ?? channels, width, kernelRank, bias);
        _output = new Linear(network, names.Output, width, channels, kernelRank);
    }

    /// <summary>Mixes tokens.</summary>
    /// <param name="tokens">[N,T,C], borrowed.</param>
    /// <param name="context">[N,S,D], borrowed; null: the tokens themselves.</param>
    /// <returns>[N,T,C]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, Tensor? context = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = context ?? tokens;
        return _output.Forward(Mix(Heads(_query, tokens), Heads(_key, seen), Heads(_value, seen), _causal)).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(q k^T / sqrt(d)) v of every head, heads joined again.</summary>
    /// <param name="q">[N,T,heads,d], borrowed.</param>
    /// <param name="k">[N,S,heads,d], borrowed.</param>
    /// <param name="v">[N,S,heads,d], borrowed.</param>
    /// <param name="causal">Whether each token sees itself and those before it only.</param>
    /// <returns>[N,T,heads d]; the caller owns it.</returns>
    internal static Tensor Mix(Tensor q, Tensor k, Tensor v, bool causal = false)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor mixed = torch.nn.functional.scaled_dot_product_attention(
            q.transpose(1, 2),
            k.transpose(1, 2),
            v.transpose(1, 2),
            is_casual: causal
        );
        return mixed.transpose(1, 2).flatten(2).MoveToOuterDisposeScope();
    }

    private Tensor Heads(Linear projection, Tensor tokens)
    {
        Tensor wide = projection.Forward(tokens);
        return wide.view(wide.shape[0], wide.shape[1], _heads, wide.shape[2] / _heads);
    }
}
