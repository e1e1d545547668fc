using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// diffusers' UNet2DModel, the network of Ho et al., "Denoising Diffusion Probabilistic Models" (2020), with its parameter names.
/// </summary>
/// <remarks>
/// Every residual block and every halving on the way down is kept; each residual block on the way up sees its features beside the output
/// kept last. Convolutions compute in <see cref="ComputePolicy.NetworkDtype"/>; the first and the last one, embeddings and norms in
/// float32.
/// </remarks>
public sealed class UNet2D : DiffusionNetwork
{
    private readonly Sinusoid _waves;
    private readonly TimestepEmbedding _time;
    private readonly Conv2d _in,
        _out;
    private readonly List<Level> _down = [],
        _up = [];
    private readonly (string Name, IUNetLayer Layer)[] _middle;
    private readonly GroupNorm _outNorm;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public UNet2D(UNet2DConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        IReadOnlyList<int> widths = config.BlockOutChannels;
        (int levels, int last, long embedding) = (widths.Count, widths[^1], 4L * widths[0]);
        _in = new Conv2d(this, "conv_in", config.InChannels, widths[0], keepFloat32: true, result: Policy.NetworkDtype);
        _waves = new Sinusoid(widths[0], !config.CosineFirst, config.FrequencyShift);
        _time = new TimestepEmbedding(this, "time_embedding.linear_1", "time_embedding.linear_2", _waves, embedding);

        long width = widths[0];
        Stack<long> skips = new([width]);
        for (int level = 0; level < levels; level++)
        {
            string name = $"down_blocks.{level}";
            List<(string, IUNetLayer)[]> blocks = [];
            for (int i = 0; i < config.LayersPerBlock; i++)
            {
                blocks.Add(Block(name, i, width, widths[level], config.DownAttention[level]));
                skips.Push(width = widths[level]);
            }
            (string, IUNetLayer)? halving = null;
            if (level < levels - 1)
            {
                string own = $"{name}.downsamplers.0";
                halving = (own, new Downsample(this, own, width, true, "conv", config.DownsamplePadding));
                skips.Push(width);
            }
            _down.Add(new Level(name, blocks, halving));
        }
        _middle =
        [
            ("mid_block.resnets.0", Residual("mid_block.resnets.0", last, last, config.MiddleScale)),
            .. config.MiddleAttention
                ? [("mid_block.attentions.0", Attention("mid_block.attentions.0", last, config.MiddleScale))]
                : Array.Empty<(string, IUNetLayer)>(),
            ("mid_block.resnets.1", Residual("mid_block.resnets.1", last, last, config.MiddleScale)),
        ];
        for (int step = 0; step < levels; step++)
        {
            string name = $"up_blocks.{step}";
            int wanted = widths[levels - 1 - step];
            List<(string, IUNetLayer)[]> blocks = [];
            for (int i = 0; i <= config.LayersPerBlock; i++)
            {
                blocks.Add(Block(name, i, width + skips.Pop(), wanted, config.UpAttention[step]));
                width = wanted;
            }
            string own = $"{name}.upsamplers.0";
            _up.Add(new Level(name, blocks, step < levels - 1 ? (own, new Upsample(this, own, width, true)) : null));
        }
        _outNorm = new GroupNorm(this, "conv_norm_out", widths[0], config.NormGroups, config.NormEpsilon);
        _out = new Conv2d(this, "conv_out", widths[0], config.OutChannels, keepFloat32: true);

        (string, IUNetLayer)[] Block(string level, int i, long inputs, long outputs, bool attention)
        {
            (string residual, string pixels) = ($"{level}.resnets.{i}", $"{level}.attentions.{i}");
            (string, IUNetLayer) first = (residual, Residual(residual, inputs, outputs, 1));
            return attention ? [first, (pixels, Attention(pixels, outputs, 1))] : [first];
        }
        ResidualBlock Residual(string name, long inputs, long outputs, double factor) =>
            new(
                this,
                name,
                inputs,
                outputs,
                embedding,
                scaleShift: false,
                names: ResidualNames.Diffusers,
                groups: config.NormGroups,
                epsilon: config.NormEpsilon,
                factor: factor
            );
        PixelAttention Attention(string name, long channels, double factor) => new(this, name, channels, factor);
    }

    /// <summary>The constructor arguments.</summary>
    public UNet2DConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => Config.SizeMultiple;

    /// <inheritdoc/>
    public override int Channels => Config.InChannels;

    /// <summary>Attention in the paths ties a network to the layouts that it was trained on.</summary>
    public override int? LargestSide =>
        Config.SampleSize > 0 && (Config.DownAttention.Contains(true) || Config.UpAttention.Contains(true)) ? 2 * Config.SampleSize : null;

    /// <inheritdoc/>
    public override double ValuesPerPixel => 7.0 * Config.BlockOutChannels[0];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor t, Tensor? labels = null, ModuleTrace? trace = null)
    {
        Check(x, labels);
        using DisposeScope scope = torch.NewDisposeScope();
        trace?.Invoke("time_proj", _waves.Of(t));
        Tensor embedding = _time.Forward(t);
        trace?.Invoke("time_embedding", embedding);
        embedding = torch.nn.functional.silu(embedding);

        Tensor input = x.to(ScalarType.Float32);
        Tensor h = _in.Forward(ChannelsLast.Of(Config.CenterInput ? 2 * input - 1 : input));
        trace?.Invoke("conv_in", h);
        Stack<Tensor> skips = new([h]);
        foreach (Level level in _down)
        {
            foreach ((string, IUNetLayer)[] block in level.Blocks)
                skips.Push(h = Through(block, h, embedding, trace, owned: false));
            if (level.Resampling is { } halving)
                skips.Push(h = Through([halving], h, embedding, trace, owned: false));
            trace?.Invoke(level.Name, h);
        }
        h = Through(_middle, h, embedding, trace, owned: false);
        trace?.Invoke("mid_block", h);
        foreach (Level level in _up)
        {
            foreach ((string, IUNetLayer)[] block in level.Blocks)
                h = Through(block, Joined(h, skips.Pop()), embedding, trace, owned: true);
            if (level.Resampling is { } doubling)
                h = Through([doubling], h, embedding, trace, owned: true);
            trace?.Invoke(level.Name, h);
        }
        using Tensor features = h;
        trace?.Invoke("conv_norm_out", _outNorm.Forward(features, dtype: ScalarType.Float32));
        Tensor output = _out.Forward(_outNorm.Activate(features, dtype: ScalarType.Float32, reuse: true));
        trace?.Invoke("conv_out", output);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Layers one after another; what they leave behind is freed, and the input where it is theirs.</summary>
    private static Tensor Through((string, IUNetLayer)[] layers, Tensor input, Tensor embedding, ModuleTrace? trace, bool owned)
    {
        Tensor h = input;
        foreach ((string name, IUNetLayer layer) in layers)
        {
            Tensor next = layer.Forward(h, embedding);
            if (owned || !ReferenceEquals(h, input))
                h.Dispose();
            trace?.Invoke(name, next);
            h = next;
        }
        return h;
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
        if (x.dim() != 4 || x.shape[1] != Config.InChannels || x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The network takes [N,{Config.InChannels},H,W] with sides that are multiples of {SizeMultiple}, not "
                    + $"[{string.Join(",", x.shape)}]. Pad the picture and crop the result."
            );
        if (labels is not null)
            throw new ArgumentException("The network has no classes. Leave the labels out.");
    }

    /// <summary>One level: blocks, then the resampling to the next.</summary>
    private sealed record Level(
        string Name,
        IReadOnlyList<(string Name, IUNetLayer Layer)[]> Blocks,
        (string Name, IUNetLayer Layer)? Resampling
    );

    /// <summary>All pixels look at each other: (h + attention(norm(h))) / factor.</summary>
    private sealed class PixelAttention : IUNetLayer
    {
        private readonly GroupNorm _norm;
        private readonly Attention _attention;
        private readonly double _factor;

        public PixelAttention(UNet2D network, string name, long channels, double factor)
        {
            UNet2DConfig config = network.Config;
            _factor = factor;
            _norm = new GroupNorm(network, $"{name}.group_norm", channels, config.NormGroups, config.NormEpsilon);
            long head = config.AttentionHeadDim ?? channels,
                heads = channels / head;
            AttentionNames names = config.EarlyNames ? AttentionNames.Early(name) : AttentionNames.Transformer(name);
            _attention = new Attention(network, names, channels, heads, inner: heads * head, bias: true);
        }

        public Tensor Forward(Tensor h, Tensor embedding, Tensor? context = null)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor tokens = ChannelsLast.Rows(_norm.Forward(h)).flatten(1, 2);
            Tensor mixed = _attention.Forward(tokens).view(h.shape[0], h.shape[2], h.shape[3], h.shape[1]).permute(0, 3, 1, 2);
            Tensor sum = h + mixed;
            return (_factor == 1 ? sum : sum / _factor).MoveToOuterDisposeScope();
        }
    }
}
