using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>
/// x + attention(norm(x)) over all pixels and, since version 1.9, learned tokens: full, or linear (Katharopoulos et al., "Transformers are
/// RNNs", 2020) with a softmax of the queries over their channels and of the keys over the pixels.
/// </summary>
internal sealed class LucidrainsAttention
{
    private const long MemoryTokens = 4;
    private readonly string _name;
    private readonly ChannelNorm _norm;
    private readonly Linear _qkv,
        _output;
    private readonly ChannelNorm? _outputNorm;
    private readonly Parameter? _memory;
    private readonly (int Heads, int Width) _heads;
    private readonly bool _full;
    private readonly LucidrainsVersion _version;

    public LucidrainsAttention(LucidrainsUNet network, string name, long channels, int level, bool full)
    {
        LucidrainsUNetConfig config = network.Config;
        (_name, _version, _full, _heads) = (name, config.Version, full, config.HeadsOf(level));
        long inner = (long)_heads.Heads * _heads.Width;
        (string outer, string own) = _version.PlainNames ? (name, name) : ($"{name}.fn", $"{name}.fn.fn");
        _norm = new ChannelNorm(network, $"{outer}.norm", channels, _version.RootMeanSquareAttention);
        if (_version.Memory)
            _memory = network.Declare(
                $"{own}.mem_kv",
                full ? [2, _heads.Heads, MemoryTokens, _heads.Width] : [2, _heads.Heads, _heads.Width, MemoryTokens],
                Init.Normal
            );
        _qkv = new Linear(network, $"{own}.to_qkv", channels, 3 * inner, kernelRank: 2, bias: false);
        _output = new Linear(network, full ? $"{own}.to_out" : $"{own}.to_out.0", inner, channels, kernelRank: 2);
        if (!full)
            _outputNorm = new ChannelNorm(network, $"{own}.to_out.1", channels, _version.RootMeanSquareAttention);
    }

    /// <summary>[N,C,H,W] to [N,C,H,W]; the caller owns it.</summary>
    public Tensor Forward(Tensor h, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long n, long channels, long height, long width) = (h.shape[0], h.shape[1], h.shape[2], h.shape[3]);
        Tensor tokens = ChannelsLast.Rows(_norm.Forward(h)).reshape(n, height * width, channels);
        Tensor[] parts = [.. _qkv.Forward(tokens).view(n, height * width, 3, _heads.Heads, _heads.Width).unbind(2)];
        (Tensor q, Tensor k, Tensor v) = (parts[0], WithMemory(parts[1], 0), WithMemory(parts[2], 1));
        Tensor mixed = _output.Forward(_full ? Attention.Mix(q, k, v) : Linearly(q, k, v));
        Tensor y = mixed.view(n, height, width, channels).permute(0, 3, 1, 2);
        if (_outputNorm is not null)
            y = _outputNorm.Forward(y);
        Tensor sum = h + y;
        // Where wrappers bear the names, the sum is theirs.
        trace?.Invoke(_name, _version.PlainNames ? y : sum);
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Keys or values [N,T,heads,d] behind those that were learned.</summary>
    private Tensor WithMemory(Tensor seen, int which)
    {
        if (_memory is null)
            return seen;
        Tensor learned = _memory.Value[which];
        Tensor rows = _full ? learned.transpose(0, 1) : learned.permute(2, 0, 1);
        return torch.cat([rows.unsqueeze(0).expand(seen.shape[0], -1, -1, -1).to(seen.dtype), seen], dim: 1);
    }

    private Tensor Linearly(Tensor q, Tensor k, Tensor v)
    {
        Tensor queries = q.to(ScalarType.Float32).softmax(-1).transpose(1, 2) / Math.Sqrt(_heads.Width);
        Tensor keys = k.to(ScalarType.Float32).softmax(1).permute(0, 2, 3, 1);
        Tensor values = v.to(ScalarType.Float32).transpose(1, 2);
        if (_version.DividesByPixels)
            values = values / q.shape[1];
        return queries.matmul(keys.matmul(values)).transpose(1, 2).flatten(2).to(q.dtype);
    }
}
