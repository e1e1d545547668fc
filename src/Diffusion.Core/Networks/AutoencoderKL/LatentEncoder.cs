using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>
/// The encoder of Esser et al., "Taming Transformers for High-Resolution Image Synthesis" (2021), which latent diffusion took over:
/// residual blocks, level by level, each level half as large; attention in the middle.
/// </summary>
internal sealed class LatentEncoder
{
    private readonly string _name;
    private readonly LatentEncoderNames _names;
    private readonly Conv2d _in,
        _out;
    private readonly List<(ResidualBlock[] Blocks, PixelAttention[] Attentions, Conv2d? Halve)> _levels = [];
    private readonly MiddleOfAutoencoder _middle;
    private readonly GroupNorm _norm;

    /// <summary>Declares it.</summary>
    /// <param name="network">Where to declare it.</param>
    /// <param name="name">Its own name.</param>
    /// <param name="names">The names of its parts.</param>
    /// <param name="shape">Channels, widths, blocks, attention.</param>
    public LatentEncoder(Network network, string name, LatentEncoderNames names, LatentEncoderShape shape)
    {
        (_name, _names) = (name, names);
        (int groups, int width) = (shape.Groups, shape.First);
        ScalarType inner = network.Policy.NetworkDtype;
        _in = new Conv2d(network, $"{name}.conv_in", shape.Inputs, width, keepFloat32: true, result: inner);
        for (int level = 0; level < shape.Widths.Count; level++)
        {
            List<ResidualBlock> blocks = [];
            for (int i = 0; i < shape.Blocks; i++)
            {
                blocks.Add(names.NewBlock(network, $"{name}.{names.Resnet(level, i)}", width, shape.Widths[level], groups, shape.Epsilon));
                width = shape.Widths[level];
            }
            int attentions = shape.Attends(level) ? shape.Blocks : 0;
            _levels.Add(
                (
                    [.. blocks],
                    [
                        .. Enumerable
                            .Range(0, attentions)
                            .Select(i =>
                                names.NewAttention(
                                    network,
                                    $"{name}.{names.Attention(level, i)}",
                                    width,
                                    groups,
                                    shape.Epsilon,
                                    shape.Heads
                                )
                            ),
                    ],
                    level == shape.Widths.Count - 1
                        ? null
                        : new Conv2d(network, $"{name}.{names.Downsample(level)}.conv", width, width, stride: 2, padding: 0)
                )
            );
        }
        _middle = new MiddleOfAutoencoder(network, name, names, width, groups, shape.Epsilon, shape.Heads);
        _norm = new GroupNorm(network, $"{name}.{names.Norm}", width, groups, shape.Epsilon);
        _out = new Conv2d(network, $"{name}.conv_out", width, shape.Outputs, keepFloat32: true);
    }

    /// <summary>[N,inputs,H,W] float32, borrowed, to [N,outputs,H/f,W/f] float32; the caller owns it.</summary>
    public Tensor Forward(Tensor x, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = _in.Forward(ChannelsLast.Of(x));
        trace?.Invoke($"{_name}.conv_in", h);
        for (int level = 0; level < _levels.Count; level++)
        {
            (ResidualBlock[] blocks, PixelAttention[] attentions, Conv2d? halve) = _levels[level];
            for (int i = 0; i < blocks.Length; i++)
            {
                h = Replaced(h, blocks[i].Forward, _names.Resnet(level, i));
                if (attentions.Length > 0)
                    h = Replaced(h, attentions[i].Forward, _names.Attention(level, i));
            }
            if (halve is not null)
                h = Replaced(h, y => Halved(y, halve), _names.Downsample(level));
            trace?.Invoke($"{_name}.{_names.Level(level)}", h);
        }
        h = Replaced(h, y => _middle.Forward(y, trace), _names.Middle);
        trace?.Invoke($"{_name}.{_names.Norm}", _norm.Forward(h, dtype: ScalarType.Float32));
        using Tensor features = h,
            activated = _norm.Activate(features, dtype: ScalarType.Float32);
        Tensor output = _out.Forward(activated);
        trace?.Invoke($"{_name}.conv_out", output);
        return output.MoveToOuterDisposeScope();

        Tensor Replaced(Tensor before, Func<Tensor, Tensor> layer, string part)
        {
            using (before)
            {
                Tensor after = layer(before);
                trace?.Invoke($"{_name}.{part}", after);
                return after;
            }
        }
    }

    // Published code pads one row and column of zeros at the end only.
    private static Tensor Halved(Tensor h, Conv2d halve)
    {
        using Tensor padded = torch.nn.functional.pad(h, [0L, 1L, 0L, 1L]);
        return halve.Forward(padded);
    }
}

/// <summary>The sizes of an encoder.</summary>
/// <param name="Inputs">Channels of the picture.</param>
/// <param name="Outputs">Channels of the result.</param>
/// <param name="First">Channels of the first convolution.</param>
/// <param name="Widths">Width of each level, the finest first.</param>
/// <param name="Blocks">Residual blocks of a level.</param>
/// <param name="Groups">Groups of the norms.</param>
internal sealed record LatentEncoderShape(int Inputs, int Outputs, int First, IReadOnlyList<int> Widths, int Blocks, int Groups)
{
    /// <summary>Whether a level has attention behind each block.</summary>
    public Func<int, bool> Attends { get; init; } = _ => false;

    /// <summary>Epsilon of Stable Diffusion's norms.</summary>
    public const double UsualEpsilon = 1e-6;

    /// <summary>Epsilon of the norms.</summary>
    public double Epsilon { get; init; } = UsualEpsilon;

    /// <summary>Heads of the attentions.</summary>
    public int Heads { get; init; } = 1;
}
