using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>
/// Normalises every pixel over its channels, by the root mean square or by mean and variance, with a gain <c>g</c> [1,C,1,1] and no offset.
/// </summary>
internal sealed class ChannelNorm(Network network, string name, long channels, bool rootMeanSquare) : INormalization
{
    private const double Epsilon = 1e-5,
        LeastNorm = 1e-12;
    private readonly Parameter _gain = network.Declare($"{name}.g", [1, channels, 1, 1], Init.Ones, keepFloat32: true);

    /// <summary>[N,C,H,W] to [N,C,H,W] in the same dtype; the caller owns it.</summary>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Normalized(x).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Activate(Tensor x, (Tensor Scale, Tensor Shift)? modulation = null, ScalarType? dtype = null, bool reuse = false)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor y = Normalized(x);
        if (modulation is var (scale, shift))
            y = y * (1 + scale.unsqueeze(-1).unsqueeze(-1)) + shift.unsqueeze(-1).unsqueeze(-1);
        return torch.nn.functional.silu(y).to(dtype ?? x.dtype).MoveToOuterDisposeScope();
    }

    private Tensor Normalized(Tensor x)
    {
        Tensor v = x.to(ScalarType.Float32);
        if (rootMeanSquare)
            return v / v.square().sum([1L], keepdim: true).sqrt().clamp_min(LeastNorm) * (_gain.Value * Math.Sqrt(channels));
        Tensor centered = v - v.mean([1L], keepdim: true);
        return centered * (centered.square().mean([1L], keepdim: true) + Epsilon).rsqrt() * _gain.Value;
    }
}

/// <summary>silu(norm(conv(x)) (1 + scale) + shift), twice, the first told the time, and x beside it.</summary>
internal sealed class LucidrainsResidualBlock : IUNetLayer
{
    private const double Epsilon = 1e-5;
    private readonly Linear _embedding;
    private readonly Conv2d _firstConvolution,
        _secondConvolution;
    private readonly INormalization _firstNorm,
        _secondNorm;
    private readonly Conv2d? _skip;
    private readonly string _name;

    public LucidrainsResidualBlock(LucidrainsUNet network, string name, long inputs, long outputs)
    {
        (LucidrainsUNetConfig config, _name) = (network.Config, name);
        _embedding = new Linear(network, $"{name}.mlp.1", 4L * config.Dim, 2 * outputs, keepFloat32: true);
        (_firstConvolution, _firstNorm) = Block("block1", inputs);
        (_secondConvolution, _secondNorm) = Block("block2", outputs);
        _skip = inputs == outputs ? null : new Conv2d(network, $"{name}.res_conv", inputs, outputs, kernel: 1);

        (Conv2d, INormalization) Block(string block, long from) =>
            (
                new Conv2d(
                    network,
                    $"{name}.{block}.proj",
                    from,
                    outputs,
                    reweight: config.Version.StandardizedWeights ? Standardize : null
                ),
                config.Version.RootMeanSquareBlocks
                    ? new ChannelNorm(network, $"{name}.{block}.norm", outputs, rootMeanSquare: true)
                    : new GroupNorm(network, $"{name}.{block}.norm", outputs, config.Groups)
            );
        Tensor Standardize(Tensor weight) => StandardizedWeights.Of(weight, config.Version.RootMeanSquareAttention);
    }

    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null) => Forward(h, embedding, trace: null);

    /// <summary>Computes the block.</summary>
    /// <param name="h">[N,inputs,H,W], borrowed.</param>
    /// <param name="embedding">[N or 1,E] SiLU of the time embedding, borrowed.</param>
    /// <param name="trace">Told what the first half gives.</param>
    /// <returns>[N,outputs,H,W]; the caller owns it.</returns>
    public Tensor Forward(Tensor h, Tensor embedding, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] halves = _embedding.Forward(embedding).chunk(2, dim: 1);
        Tensor y = _firstNorm.Activate(_firstConvolution.Forward(h), (halves[0], halves[1]), reuse: true);
        trace?.Invoke($"{_name}.block1", y);
        y = _secondNorm.Activate(_secondConvolution.Forward(y), reuse: true);
        return (y + (_skip?.Forward(h) ?? h)).MoveToOuterDisposeScope();
    }
}

/// <summary>Weights of which every filter has mean 0 and variance 1 (Qiao et al., "Weight Standardization", 2019).</summary>
internal static class StandardizedWeights
{
    private const double Epsilon = 1e-5;

    /// <summary>Standardises [outputs,inputs,k,k]; the caller owns the result.</summary>
    /// <param name="weight">Borrowed.</param>
    /// <param name="atLeast">Whether the variance is at least a small number, instead of that number being added.</param>
    public static Tensor Of(Tensor weight, bool atLeast)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor centered = weight.to(ScalarType.Float32) - weight.to(ScalarType.Float32).mean([1L, 2, 3], keepdim: true);
        Tensor variance = centered.square().mean([1L, 2, 3], keepdim: true);
        Tensor positive = atLeast ? variance.clamp_min(Epsilon) : variance + Epsilon;
        return ChannelsLast.Of((centered * positive.rsqrt()).to(weight.dtype)).MoveToOuterDisposeScope();
    }
}
