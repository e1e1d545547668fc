using Diffusion.Native;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The UNet of Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis" (2021): openai/guided-diffusion's UNetModel, with its
/// parameter names.
/// </summary>
/// <remarks>
/// Features go down through <c>input_blocks</c>, each of whose outputs is kept; through <c>middle_block</c>; and up through
/// <c>output_blocks</c>, each of which sees the features beside the output kept last.
/// Convolutions compute in <see cref="ComputePolicy.NetworkDtype"/>; the first and the last one, embeddings and norms in float32.
/// </remarks>
public class AdmUNet : DiffusionNetwork
{
    private readonly TimestepEmbedding _timeEmbed;
    private readonly Embedding? _labelEmbed;
    private readonly List<Block> _down = [],
        _up = [];
    private readonly Block _middle;
    private readonly INormalization _outNorm;
    private readonly Conv2d _outConvolution;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public AdmUNet(AdmUNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        long embedding = 4L * config.ModelChannels,
            patch = (long)config.PatchSize * config.PatchSize;
        _timeEmbed = new TimestepEmbedding(this, "time_embed.0", "time_embed.2", new Sinusoid(config.ModelChannels), embedding);
        if (config.NumClasses is { } classes)
            _labelEmbed = new Embedding(this, "label_emb", classes, embedding);

        long width = config.Width(0);
        List<long> skips = [width];
        int levels = config.ChannelMult.Count,
            factor = 1;
        _down.Add(
            new Block(
                "input_blocks.0",
                [new Conv2d(this, "input_blocks.0.0", config.InChannels * patch, width, keepFloat32: true, result: Policy.NetworkDtype)]
            )
        );
        for (int level = 0; level < levels; level++)
        {
            for (int i = 0; i < config.NumResBlocks; i++)
            {
                string name = $"input_blocks.{_down.Count}";
                List<IUNetLayer> layers = [Residual($"{name}.0", width, config.Width(level))];
                width = config.Width(level);
                if (config.AttentionResolutions.Contains(factor))
                    layers.Add(Attention($"{name}.1", width, config.NumHeads));
                _down.Add(new Block(name, layers));
                skips.Add(width);
            }
            if (level == levels - 1)
                break;
            string last = $"input_blocks.{_down.Count}";
            _down.Add(
                new Block(
                    last,
                    [
                        config.ResblockUpdown
                            ? Residual($"{last}.0", width, width, Resample.Down)
                            : new Downsample(this, $"{last}.0", width, config.ConvResample),
                    ]
                )
            );
            skips.Add(width);
            factor *= 2;
        }

        _middle = new Block(
            "middle_block",
            config.MiddleAttention
                ?
                [
                    Residual("middle_block.0", width, width),
                    Attention("middle_block.1", width, config.NumHeads),
                    Residual("middle_block.2", width, width),
                ]
                : [Residual("middle_block.0", width, width), Residual("middle_block.1", width, width)]
        );

        int headsUp = config.NumHeadsUpsample == -1 ? config.NumHeads : config.NumHeadsUpsample;
        for (int level = levels - 1; level >= 0; level--)
        {
            for (int i = 0; i <= config.NumResBlocks; i++)
            {
                string name = $"output_blocks.{_up.Count}";
                List<IUNetLayer> layers = [Residual($"{name}.0", width + skips[^1], config.Width(level))];
                skips.RemoveAt(skips.Count - 1);
                width = config.Width(level);
                if (config.AttentionResolutions.Contains(factor))
                    layers.Add(Attention($"{name}.{layers.Count}", width, headsUp));
                if (level > 0 && i == config.NumResBlocks)
                {
                    string up = $"{name}.{layers.Count}";
                    layers.Add(
                        config.ResblockUpdown ? Residual(up, width, width, Resample.Up) : new Upsample(this, up, width, config.ConvResample)
                    );
                }
                _up.Add(new Block(name, layers));
            }
            factor /= 2;
        }
        _outNorm = config.PixelNorm ? new PixelNorm(this, "out.0", width) : new GroupNorm(this, "out.0", width);
        _outConvolution = new Conv2d(this, "out.2", width, config.OutChannels * patch, zero: true, keepFloat32: true);

        ResidualBlock Residual(string name, long inputs, long outputs, Resample resample = Resample.None) =>
            new(this, name, inputs, outputs, embedding, config.UseScaleShiftNorm, resample, config.PixelNorm);
        AttentionBlock Attention(string name, long channels, int heads) =>
            new(
                this,
                name,
                channels,
                config.NumHeadChannels == -1 ? heads : channels / config.NumHeadChannels,
                config.Layout,
                config.ConsistencyAttention ? 2 : 1
            );
    }

    /// <summary>The constructor arguments.</summary>
    public AdmUNetConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => Config.SizeMultiple;

    /// <inheritdoc/>
    public override int Channels => Config.InChannels;

    /// <inheritdoc/>
    public override int? Classes => Config.NumClasses;

    /// <inheritdoc/>
    public override int? ReceptiveField => Config.ReceptiveField;

    /// <summary>Attention in the paths ties a network to the layouts that it was trained on.</summary>
    public override int? LargestSide => Config is { AttentionResolutions.Count: > 0, ImageSize: > 0 and int side } ? 2 * side : null;

    /// <summary>
    /// At the full resolution live the skips, a block's input, its normalised copy, a convolution's input and its output: seven times the
    /// first width, fitted to the resident memory of whole runs at 256 to 1024 pixels, with and without tiles.
    /// </summary>
    public override double ValuesPerPixel => 7.0 * Config.Width(0) / (Config.PatchSize * Config.PatchSize);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor t, Tensor? labels = null, ModuleTrace? trace = null)
    {
        Check(x, labels);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor embedding = _timeEmbed.Forward(t);
        trace?.Invoke("time_embed", embedding);
        if (labels is not null)
        {
            Tensor row = _labelEmbed!.Forward(labels);
            trace?.Invoke("label_emb", row);
            embedding = embedding + row;
        }
        embedding = torch.nn.functional.silu(embedding);

        Stack<Tensor> skips = [];
        Tensor h = ChannelsLast.Of(
            Config.PatchSize == 1
                ? x.to(ScalarType.Float32)
                : torch.nn.functional.pixel_unshuffle(x.to(ScalarType.Float32), Config.PatchSize)
        );
        foreach (Block block in _down)
            skips.Push(h = block.Forward(h, embedding, trace));
        h = _middle.Forward(h, embedding, trace);
        foreach (Block block in _up)
        {
            using Tensor both = Joined(h, skips.Pop());
            h = block.Forward(both, embedding, trace);
        }
        using Tensor features = h;
        Tensor output = _outConvolution.Forward(_outNorm.Activate(features, dtype: ScalarType.Float32, reuse: true));
        if (Config.PatchSize > 1)
            output = torch.nn.functional.pixel_shuffle(output, Config.PatchSize);
        trace?.Invoke("out", output);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Features beside those kept on the way down, both of which are freed.</summary>
    private static Tensor Joined(Tensor below, Tensor kept)
    {
        using (below)
        using (kept)
            return torch.cat([below, kept], dim: 1);
    }

    private void Check(Tensor x, Tensor? labels)
    {
        if (x.dim() != 4 || x.shape[1] != Config.InChannels)
            throw new ArgumentException($"The network takes [N,{Config.InChannels},H,W], not [{string.Join(",", x.shape)}].");
        if (x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The network takes heights and widths that are multiples of {SizeMultiple}, not {x.shape[2]}x{x.shape[3]}. Pad the "
                    + $"picture and crop the result."
            );
        if (labels is null != _labelEmbed is null)
            throw new ArgumentException(
                labels is null
                    ? $"The network is conditional on {Config.NumClasses} classes. Give one label per picture."
                    : "The network has no classes. Leave the labels out."
            );
    }

    /// <summary>A sequence of layers under one published name.</summary>
    private sealed record Block(string Name, IReadOnlyList<IUNetLayer> Layers)
    {
        public Tensor Forward(Tensor h, Tensor embedding, ModuleTrace? trace)
        {
            Tensor current = h;
            for (int i = 0; i < Layers.Count; i++)
            {
                Tensor next = Layers[i].Forward(current, embedding);
                if (i > 0)
                    current.Dispose();
                trace?.Invoke($"{Name}.{i}", next);
                current = next;
            }
            trace?.Invoke(Name, current);
            return current;
        }
    }
}
