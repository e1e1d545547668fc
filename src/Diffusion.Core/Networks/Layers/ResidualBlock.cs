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

/// <summary>The residual block of ADM: skip(x) + conv(silu(norm(conv(silu(norm(x)))) modulated by the embedding)).</summary>
public sealed class ResidualBlock : IUNetLayer
{
    private readonly Network _network;
    private readonly INormalization _inNorm,
        _outNorm;
    private readonly Conv2d _inConvolution,
        _outConvolution;
    private readonly Conv2d? _skip;
    private readonly Linear _embedding;
    private readonly bool _scaleShift;
    private readonly Resample _resample;

    /// <summary>Declares the block's parameters under their published names.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of the block.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="embedding">Width of the time embedding.</param>
    /// <param name="scaleShift">Whether the embedding enters as scale and shift of the second norm, or is added before it.</param>
    /// <param name="resample">Resampling inside the block.</param>
    /// <param name="pixelNorm">Whether each pixel is normalised by itself, or groups of channels over the whole picture.</param>
    public ResidualBlock(
        Network network,
        string name,
        long inputs,
        long outputs,
        long embedding,
        bool scaleShift,
        Resample resample = Resample.None,
        bool pixelNorm = false
    )
    {
        (_network, _scaleShift, _resample) = (network, scaleShift, resample);
        _inNorm = Norm("in_layers.0", inputs);
        _inConvolution = new Conv2d(network, $"{name}.in_layers.2", inputs, outputs);
        _embedding = new Linear(network, $"{name}.emb_layers.1", embedding, scaleShift ? 2 * outputs : outputs, keepFloat32: true);
        _outNorm = Norm("out_layers.0", outputs);
        _outConvolution = new Conv2d(network, $"{name}.out_layers.3", outputs, outputs, zero: true);
        _skip = inputs == outputs ? null : new Conv2d(network, $"{name}.skip_connection", inputs, outputs, kernel: 1);

        INormalization Norm(string layer, long channels) =>
            pixelNorm ? new PixelNorm(network, $"{name}.{layer}", channels) : new GroupNorm(network, $"{name}.{layer}", channels);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor e = _embedding.Forward(embedding);
        Tensor y = Through(_inNorm.Activate(h), Resized, _inConvolution.Forward);
        if (_scaleShift)
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
        return (_network.MayFuse ? y.add_(skip) : y + skip).MoveToOuterDisposeScope();
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
