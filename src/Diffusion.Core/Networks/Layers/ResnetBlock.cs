namespace Diffusion.Networks.Layers;

/// <summary>
/// The residual block of latent diffusion and its relatives: skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + embedding))).
/// </summary>
public sealed class ResnetBlock
{
    private readonly Network _network;
    private readonly GroupNorm _norm1,
        _norm2;
    private readonly Conv2d _conv1,
        _conv2;
    private readonly Conv2d? _shortcut;
    private readonly Linear? _embedding;

    /// <summary>Declares <c>norm1</c>, <c>conv1</c>, <c>time_emb_proj</c>, <c>norm2</c>, <c>conv2</c> and the shortcut.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of the block.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output; where they differ there is a shortcut of 1x1.</param>
    /// <param name="groups">Groups of the norms.</param>
    /// <param name="epsilon">Of the norms.</param>
    /// <param name="embedding">Width of the time embedding; null: the block knows no time.</param>
    /// <param name="shortcut">Published name of the shortcut.</param>
    public ResnetBlock(
        Network network,
        string name,
        long inputs,
        long outputs,
        long groups,
        double epsilon,
        long? embedding = null,
        string shortcut = "conv_shortcut"
    )
    {
        _network = network;
        _norm1 = new GroupNorm(network, $"{name}.norm1", inputs, groups, epsilon);
        _conv1 = new Conv2d(network, $"{name}.conv1", inputs, outputs);
        _embedding = embedding is { } width ? new Linear(network, $"{name}.time_emb_proj", width, outputs, keepFloat32: true) : null;
        _norm2 = new GroupNorm(network, $"{name}.norm2", outputs, groups, epsilon);
        _conv2 = new Conv2d(network, $"{name}.conv2", outputs, outputs);
        _shortcut = inputs == outputs ? null : new Conv2d(network, $"{name}.{shortcut}", inputs, outputs, kernel: 1);
    }

    /// <summary>Computes a block that knows no time.</summary>
    /// <param name="h">[N,inputs,H,W], borrowed.</param>
    /// <returns>[N,outputs,H,W]; the caller owns it.</returns>
    public Tensor Forward(Tensor h) => Compute(h, null);

    /// <summary>Computes a block that is told the time.</summary>
    /// <param name="h">[N,inputs,H,W], borrowed.</param>
    /// <param name="embedding">[N or 1,E] float32: SiLU of the time's embedding, borrowed.</param>
    /// <returns>[N,outputs,H,W]; the caller owns it.</returns>
    public Tensor Forward(Tensor h, Tensor embedding) => Compute(h, embedding);

    private Tensor Compute(Tensor h, Tensor? embedding)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor y;
        using (Tensor a = _norm1.Activate(h))
            y = _conv1.Forward(a);
        if (_embedding is not null)
            y = Added(y, _embedding.Forward(embedding!).unsqueeze(-1).unsqueeze(-1).to(y.dtype));
        using (Tensor before = y)
        using (Tensor a = _norm2.Activate(before, reuse: true))
            y = _conv2.Forward(a);
        return Added(y, _shortcut?.Forward(h) ?? h).MoveToOuterDisposeScope();
    }

    private Tensor Added(Tensor y, Tensor what)
    {
        if (_network.MayFuse)
            return y.add_(what);
        using (y)
            return y + what;
    }
}
