using Diffusion.Native;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The denoiser of Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior" (2021): UNetRes of cszn/DPIR, with its
/// parameter names.
/// </summary>
/// <remarks>
/// Residual blocks conv-ReLU-conv without norms or biases, strided 2x2 convolutions down, transposed ones up, skips added. Its receptive
/// field is finite.
/// </remarks>
public sealed class DruNet : DenoisingNetwork
{
    private readonly Conv2d _head,
        _tail;
    private readonly List<(Block[] Blocks, Conv2d Down)> _down = [];
    private readonly Block[] _body;
    private readonly List<(ConvTranspose2d Up, Block[] Blocks)> _up = [];

    /// <summary>Declares all parameters.</summary>
    public DruNet(DruNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        IReadOnlyList<int> width = config.Channels;
        _head = new Conv2d(this, "m_head", config.Inputs, width[0], bias: false, keepFloat32: true, result: Policy.NetworkDtype);
        for (int level = 0; level < 3; level++)
            _down.Add(
                (
                    Blocks($"m_down{level + 1}.", 0, width[level]),
                    new Conv2d(
                        this,
                        $"m_down{level + 1}.{config.Blocks}",
                        width[level],
                        width[level + 1],
                        kernel: 2,
                        stride: 2,
                        padding: 0,
                        bias: false
                    )
                )
            );
        // A sequence of one module bears the module's own names.
        _body = config.Blocks == 1 ? [new Block(this, "m_body", width[3])] : Blocks("m_body.", 0, width[3]);
        for (int level = 3; level > 0; level--)
            _up.Add(
                (new ConvTranspose2d(this, $"m_up{level}.0", width[level], width[level - 1]), Blocks($"m_up{level}.", 1, width[level - 1]))
            );
        _tail = new Conv2d(this, "m_tail", width[0], config.Outputs, bias: false, keepFloat32: true);

        Block[] Blocks(string prefix, int first, long channels) =>
            [.. Enumerable.Range(first, config.Blocks).Select(i => new Block(this, $"{prefix}{i}", channels))];
    }

    /// <summary>The constructor arguments.</summary>
    public DruNetConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => 8;

    /// <inheritdoc/>
    public override int PaddedMultiple => 16;

    /// <inheritdoc/>
    public override int Channels => Config.Outputs;

    /// <inheritdoc/>
    public override int? ReceptiveField => Config.ReceptiveField;

    /// <summary>It takes noise of up to 100 of 255 gray levels.</summary>
    public override (double Min, double Max) NoiseRange => (0, 100 / 255.0);

    /// <inheritdoc/>
    public override double ValuesPerPixel => 7.0 * Config.Channels[0];

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor map = torch.full([x.shape[0], 1, x.shape[2], x.shape[3]], sigma, ScalarType.Float32, x.device);
        return Forward(torch.cat([x, map], dim: 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,in_nc,H,W] float32, borrowed: the picture on [0,1] and a map of the noise level; H and W multiples of 8.</param>
    /// <returns>[N,out_nc,H,W] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape is another one.</exception>
    public Tensor Forward(Tensor x)
    {
        if (x.dim() != 4 || x.shape[1] != Config.Inputs || x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The network takes [N,{Config.Inputs},H,W] with sides that are multiples of {SizeMultiple}, not "
                    + $"[{string.Join(",", x.shape)}]."
            );
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = _head.Forward(ChannelsLast.Of(x));
        Stack<Tensor> skips = new([h]);
        foreach ((Block[] blocks, Conv2d down) in _down)
        {
            using Tensor fine = Through(blocks, h);
            skips.Push(h = down.Forward(fine));
        }
        h = Through(_body, h);
        foreach ((ConvTranspose2d up, Block[] blocks) in _up)
        {
            using Tensor below = h,
                skip = skips.Pop(),
                sum = below + skip,
                fine = up.Forward(sum);
            h = Through(blocks, fine);
        }
        return _tail.Forward((h + skips.Pop()).to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    private static Tensor Through(Block[] blocks, Tensor h)
    {
        Tensor current = blocks[0].Forward(h);
        foreach (Block block in blocks.AsSpan(1))
        {
            using Tensor before = current;
            current = block.Forward(before);
        }
        return current;
    }

    /// <summary>x + conv(relu(conv(x))).</summary>
    private sealed class Block(Network network, string name, long channels)
    {
        private readonly Conv2d _first = new(network, $"{name}.res.0", channels, channels, bias: false),
            _second = new(network, $"{name}.res.2", channels, channels, bias: false);

        public Tensor Forward(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return (x + _second.Forward(torch.nn.functional.relu(_first.Forward(x)))).MoveToOuterDisposeScope();
        }
    }
}
