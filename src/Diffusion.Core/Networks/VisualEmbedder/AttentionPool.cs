using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// Learned queries that look at a picture's tokens (<c>attn_pool</c>): a variant of OSDFace's code that its released weights do not use.
/// </summary>
public sealed class AttentionPool : Network
{
    private readonly Parameter _queries;
    private readonly Parameter? _positions;
    private readonly Attention _attention;

    /// <summary>Declares <c>latent_queries</c>, <c>multihead_attn.*</c> and, where asked for, <c>pos_embedding</c>.</summary>
    /// <param name="queries">Number of queries.</param>
    /// <param name="width">Width of tokens and queries.</param>
    /// <param name="heads">Number of heads; divides the width.</param>
    /// <param name="positions">Number of tokens, where each has a learned position; or null.</param>
    /// <param name="policy">How it computes; null: float32 without fused paths.</param>
    /// <exception cref="ArgumentException">The heads do not divide the width.</exception>
    public AttentionPool(int queries, int width, int heads, int? positions = null, ComputePolicy? policy = null)
        : base(policy)
    {
        _queries = Declare("latent_queries", [queries, width], Init.Normal);
        const string Name = "multihead_attn";
        _attention = new Attention(
            this,
            new AttentionNames($"{Name}.query_fc", $"{Name}.key_fc", $"{Name}.value_fc", $"{Name}.out_fc"),
            width,
            heads,
            width,
            bias: true
        );
        _positions = positions is { } count ? Declare("pos_embedding", [count, width], Init.Normal) : null;
    }

    /// <summary>[1,T,E] tokens, borrowed, to [1,queries,E]; the caller owns it.</summary>
    public Tensor Forward(Tensor tokens)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = _positions is null ? tokens : tokens + _positions.Value;
        return _attention.Forward(_queries.Value.unsqueeze(0), seen).MoveToOuterDisposeScope();
    }
}
