namespace Diffusion.Networks.Layers;

/// <summary>What a residual block does to the size of the picture.</summary>
public enum Resample
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Halves it.</summary>
    Down,

    /// <summary>Doubles it.</summary>
    Up,
}

/// <summary>The published names of the layers of a residual block.</summary>
/// <param name="InNorm">Before the first convolution.</param>
/// <param name="InConvolution">The first convolution.</param>
/// <param name="Embedding">The linear layer of the embedding.</param>
/// <param name="OutNorm">Before the second convolution.</param>
/// <param name="OutConvolution">The second convolution.</param>
/// <param name="Skip">The 1x1 convolution beside them, where the channels change.</param>
public sealed record ResidualNames(
    string InNorm,
    string InConvolution,
    string Embedding,
    string OutNorm,
    string OutConvolution,
    string Skip
)
{
    /// <summary>guided-diffusion's: positions in sequences.</summary>
    public static ResidualNames Adm { get; } =
        new("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection");

    /// <summary>diffusers': <c>norm1</c>, <c>conv1</c>, ...</summary>
    public static ResidualNames Diffusers { get; } = new("norm1", "conv1", "time_emb_proj", "norm2", "conv2", "conv_shortcut");
}

/// <summary>
/// The residual block of ADM: (skip(x) + conv(silu(norm(conv(silu(norm(x)))) modulated by the embedding))) / factor.
/// </summary>
public sealed class ResidualBlock : IUNetLayer
{
    private readonly Network _network;
    private readonly INormalization _inNorm,
        _outNorm;
    private readonly Conv2d _inConvolution,
        _outConvolution;
    private readonly Conv2d? _skip;
    private readonly Linear? _embedding;
    private readonly bool _scaleShift;
    private readonly double _factor;
    private readonly Resample _resample;

    /// <summary>Declares the block's parameters under their published names.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of the block.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="embedding">Width of the time embedding; null: the block knows no time.</param>
    /// <param name="scaleShift">Whether the embedding enters as scale and shift of the second norm, or is added before it.</param>
    /// <param name="resample">Resampling inside the block.</param>
    /// <param name="pixelNorm">Whether each pixel is normalised by itself, or groups of channels over the whole picture.</param>
    /// <param name="names">The layers' names; null: those of guided-diffusion.</param>
    /// <param name="groups">Groups of the normalisation.</param>
    /// <param name="epsilon">What the normalisation adds to the variance.</param>
    /// <param name="factor">What the sum is divided by.</param>
    public ResidualBlock(
        Network network,
        string name,
        long inputs,
        long outputs,
        long? embedding,
        bool scaleShift,
        Resample resample = Resample.None,
        bool pixelNorm = false,
        ResidualNames? names = null,
        long groups = 32,
        double epsilon = 1e-5,
        double factor = 1
    )
    {
        (_network, _scaleShift, _resample, _factor) = (network, scaleShift, resample, factor);
        names ??= ResidualNames.Adm;
        _inNorm = Norm(names.InNorm, inputs);
        _inConvolution = new Conv2d(network, $"{name}.{names.InConvolution}", inputs, outputs);
        _embedding = embedding is { } time
            ? new Linear(network, $"{name}.{names.Embedding}", time, scaleShift ? 2 * outputs : outputs, keepFloat32: true)
            : null;
        _outNorm = Norm(names.OutNorm, outputs);
        _outConvolution = new Conv2d(network, $"{name}.{names.OutConvolution}", outputs, outputs, zero: true);
        _skip = inputs == outputs ? null : new Conv2d(network, $"{name}.{names.Skip}", inputs, outputs, kernel: 1);

        INormalization Norm(string layer, long channels) =>
            pixelNorm
                ? new PixelNorm(network, $"{name}.{layer}", channels)
                : new GroupNorm(network, $"{name}.{layer}", channels, groups, epsilon);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null) => Compute(h, embedding);

    /// <summary>Computes a block that knows no time.</summary>
    /// <param name="h">[N,C,H,W] features, borrowed.</param>
    /// <returns>[N,outputs,H,W]; the caller owns it.</returns>
    public Tensor Forward(Tensor h) => Compute(h, null);

    private Tensor Compute(Tensor h, Tensor? embedding)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor? e = _embedding?.Forward(embedding!);
        Tensor y = Through(_inNorm.Activate(h), Resized, _inConvolution.Forward);
        if (e is null)
            y = Through(y, v => _outNorm.Activate(v, reuse: true), _outConvolution.Forward);
        else if (_scaleShift)
        {
            Tensor[] halves = e.chunk(2, dim: 1);
            y = Through(y, v => _outNorm.Activate(v, (halves[0], halves[1]), reuse: true), _outConvolution.Forward);
        }
        else
        {
            y = Through(
                y,
                v => v + e.unsqueeze(-1).unsqueeze(-1).to(v.dtype),
                v => _outNorm.Activate(v, reuse: true),
                _outConvolution.Forward
            );
        }
        using Tensor x = Resized(h);
        Tensor skip = _skip?.Forward(x) ?? x;
        Tensor sum = _network.MayFuse ? y.add_(skip) : y + skip;
        return (_factor == 1 ? sum : sum / _factor).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Applies one step after another and frees what each leaves behind: large features are the memory that a network needs.
    /// </summary>
    private static Tensor Through(Tensor start, params ReadOnlySpan<Func<Tensor, Tensor>> steps)
    {
        foreach (Func<Tensor, Tensor> step in steps)
        {
            using Tensor before = start;
            start = step(before);
        }
        return start;
    }

    private Tensor Resized(Tensor x) =>
        _resample switch
        {
            Resample.Down => Resampling.Halve(x),
            Resample.Up => Resampling.Double(x),
            _ => x.alias(),
        };
}
