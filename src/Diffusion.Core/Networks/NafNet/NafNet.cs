using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// NAFNet, a restorer without activation functions: Chen et al., "Simple Baselines for Image Restoration" (2022), with the parameter names
/// of megvii-research/NAFNet.
/// </summary>
/// <remarks>
/// A UNet of <see cref="NafNetConfig.Levels"/> halvings whose skips are added. It pads pictures of any size itself. What it computes is
/// added to the last channels of its input, which are the whole of it but where it is told another picture beside.
/// </remarks>
public sealed class NafNet : PictureNetwork
{
    private readonly Conv2d _intro,
        _ending;
    private readonly NafBlock[][] _encoders,
        _decoders;
    private readonly NafBlock[] _middle;
    private readonly Conv2d[] _downs,
        _ups;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public NafNet(NafNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        int levels = config.Levels;
        _intro = new Conv2d(this, "intro", config.InChannels, config.Width, keepFloat32: true);
        _ending = new Conv2d(this, "ending", config.Width, config.OutChannels, keepFloat32: true);
        _encoders = [.. config.EncoderBlocks.Select((blocks, level) => Blocks($"encoders.{level}", blocks, level))];
        _decoders = [.. config.DecoderBlocks.Select((blocks, i) => Blocks($"decoders.{i}", blocks, levels - 1 - i))];
        _middle = Blocks("middle_blks", config.MiddleBlocks, levels);
        _ups =
        [
            .. Enumerable
                .Range(0, levels)
                .Select(i => new Conv2d(this, $"ups.{i}.0", WidthOf(levels - i), 2 * WidthOf(levels - i), kernel: 1, bias: false)),
        ];
        _downs =
        [
            .. Enumerable
                .Range(0, levels)
                .Select(level => new Conv2d(this, $"downs.{level}", WidthOf(level), 2 * WidthOf(level), kernel: 2, stride: 2, padding: 0)),
        ];

        NafBlock[] Blocks(string name, int count, int level) =>
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new NafBlock(this, $"{name}.{i}", WidthOf(level), config.NormEpsilon, Window(level))),
            ];
    }

    /// <summary>The constructor arguments.</summary>
    public NafNetConfig Config { get; }

    /// <summary>As many as it is told; none where it is told another picture beside.</summary>
    public override int? Channels => Config.InChannels == Config.OutChannels ? Config.OutChannels : null;

    /// <summary>
    /// A block at full size: its input, a norm, two layers of twice the width. Fitted to the resident memory of evaluations at 512 pixels.
    /// </summary>
    public override double ValuesPerPixel => (Config.TrainSize is null ? 8.0 : 11.0) * Config.Width;

    /// <inheritdoc/>
    public override Tensor Restore(Tensor x, ModuleTrace? trace = null) => Forward(x, trace);

    private int Multiple => Config.PadTo ?? 1 << Config.Levels;

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,img_channel,H,W] float32 of any size, borrowed.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>[N,out_channels,H,W] float32, not clipped; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public Tensor Forward(Tensor x, ModuleTrace? trace = null)
    {
        if (x.dim() != 4 || x.shape[1] != Config.InChannels || x.shape[2] < 1 || x.shape[3] < 1)
            throw new ArgumentException($"The network takes [N,{Config.InChannels},H,W], not [{string.Join(",", x.shape)}].");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor padded = ChannelsLast.Of(Padded(x.to(ScalarType.Float32)));
        Tensor h = _intro.Forward(padded);
        trace?.Invoke("intro", h);
        Stack<Tensor> skips = [];
        for (int level = 0; level < _encoders.Length; level++)
        {
            h = Through(_encoders[level], h, $"encoders.{level}", trace);
            skips.Push(h);
            h = _downs[level].Forward(h).to(ScalarType.Float32);
            trace?.Invoke($"downs.{level}", h);
        }
        h = Through(_middle, h, "middle_blks", trace);
        for (int i = 0; i < _decoders.Length; i++)
        {
            h = Raised(h, _ups[i]);
            trace?.Invoke($"ups.{i}", h);
            h = Through(_decoders[i], Sum(h, skips.Pop()), $"decoders.{i}", trace);
        }
        using Tensor features = h;
        Tensor y = _ending.Forward(features);
        trace?.Invoke("ending", y);
        Tensor added = y + padded.narrow(1, Config.InChannels - Config.OutChannels, Config.OutChannels);
        return added.narrow(2, 0, x.shape[2]).narrow(3, 0, x.shape[3]).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Through(NafBlock[] blocks, Tensor h, string name, ModuleTrace? trace)
    {
        foreach (NafBlock block in blocks)
        {
            using Tensor before = h;
            h = block.Forward(before, trace);
        }
        trace?.Invoke(name, h);
        return h;
    }

    private static Tensor Raised(Tensor h, Conv2d convolution)
    {
        using (h)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return ChannelsLast
                .Of(torch.nn.functional.pixel_shuffle(convolution.Forward(h).to(ScalarType.Float32), 2))
                .MoveToOuterDisposeScope();
        }
    }

    private static Tensor Sum(Tensor h, Tensor skip)
    {
        using (h)
        using (skip)
            return h + skip;
    }

    private Tensor Padded(Tensor x)
    {
        long bottom = Missing(x.shape[2]),
            right = Missing(x.shape[3]);
        if (bottom + right == 0)
            return x;
        // A picture that is smaller than what is missing cannot be mirrored.
        PaddingModes mode =
            Config.PadTo is null ? PaddingModes.Constant
            : bottom < x.shape[2] && right < x.shape[3] ? PaddingModes.Reflect
            : PaddingModes.Replicate;
        return torch.nn.functional.pad(x, [0, right, 0, bottom], mode);
    }

    private long Missing(long size) => (Multiple - size % Multiple) % Multiple;

    private int WidthOf(int level) => Config.Width << level;

    // Published code finds the windows by a run at the size of training, which is padded like every picture.
    private (int Height, int Width)? Window(int level) =>
        Config is { Window: var (height, width), TrainSize: { } trained }
            ? (Scaled(trained[0], height, level), Scaled(trained[1], width, level))
            : null;

    private int Scaled(int trained, int window, int level) => (int)(((trained + Missing(trained)) >> level) * (long)window / trained);
}
