using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>The Unet of lucidrains/denoising-diffusion-pytorch, versions 0.28 to 2, with its parameter names.</summary>
/// <remarks>
/// On the way down each level keeps its features after the first block and after attention; the way up sees both, and at the end the first
/// convolution's output. Convolutions compute in <see cref="ComputePolicy.NetworkDtype"/>; the first and the last one, embeddings and norms
/// in float32.
/// </remarks>
public sealed class LucidrainsUNet : DiffusionNetwork
{
    private readonly Conv2d _in,
        _out;
    private readonly TimestepEmbedding _time;
    private readonly List<Level> _down = [],
        _up = [];
    private readonly LucidrainsResidualBlock _middleFirst,
        _middleSecond,
        _final;
    private readonly LucidrainsAttention _middleAttention;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public LucidrainsUNet(LucidrainsUNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        IReadOnlyList<int> widths = config.Widths;
        int levels = config.DimMults.Count,
            last = widths[^1];
        int seen = config.Channels * (config.SelfCondition ? 2 : 1);
        _in = new Conv2d(this, "init_conv", seen, widths[0], kernel: 7, keepFloat32: true, result: Policy.NetworkDtype);
        Sinusoid waves = new(config.Dim, SineFirst: true, Shift: 1, Period: config.Theta);
        _time = new TimestepEmbedding(this, "time_mlp.1", "time_mlp.3", waves, 4L * config.Dim, h => torch.nn.functional.gelu(h));

        for (int level = 0; level < levels; level++)
        {
            (string name, int inner, int outer) = ($"downs.{level}", widths[level], widths[level + 1]);
            _down.Add(new Level(this, name, inner, inner, level, Down(name, inner, outer, level == levels - 1)));
        }
        _middleFirst = new LucidrainsResidualBlock(this, "mid_block1", last, last);
        _middleAttention = new LucidrainsAttention(this, "mid_attn", last, levels - 1, full: true);
        _middleSecond = new LucidrainsResidualBlock(this, "mid_block2", last, last);
        for (int level = levels - 1; level >= 0; level--)
        {
            (string name, int inner, int outer) = ($"ups.{levels - 1 - level}", widths[level], widths[level + 1]);
            _up.Add(new Level(this, name, outer + inner, outer, level, Up(name, outer, inner, level == 0)));
        }
        _final = new LucidrainsResidualBlock(this, "final_res_block", 2 * widths[0], widths[0]);
        _out = new Conv2d(this, "final_conv", widths[0], config.OutDim ?? config.Channels, kernel: 1, keepFloat32: true);

        Func<Tensor, Tensor> Down(string name, int from, int to, bool end)
        {
            if (end || config.Version.Strided)
                return (
                    end
                        ? new Conv2d(this, $"{name}.3", from, to)
                        : new Conv2d(this, $"{name}.3", from, to, kernel: 4, stride: 2, padding: 1)
                ).Forward;
            Conv2d mixing = new(this, $"{name}.3.1", 4 * from, to, kernel: 1);
            return h =>
            {
                using Tensor deep = torch.nn.functional.pixel_unshuffle(h, 2),
                    arranged = ChannelsLast.Of(deep);
                return mixing.Forward(arranged);
            };
        }
        Func<Tensor, Tensor> Up(string name, int from, int to, bool end)
        {
            Conv2d convolution = new(this, end ? $"{name}.3" : $"{name}.3.1", from, to);
            if (end)
                return convolution.Forward;
            return h =>
            {
                using Tensor large = Resampling.Double(h);
                return convolution.Forward(large);
            };
        }
    }

    /// <summary>The constructor arguments.</summary>
    public LucidrainsUNetConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => Config.SizeMultiple;

    /// <inheritdoc/>
    public override int Channels => Config.Channels;

    /// <inheritdoc/>
    public override double ValuesPerPixel => 9.0 * Config.Widths[0];

    /// <summary>Computes the network without an earlier estimate.</summary>
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor t, Tensor? labels = null, ModuleTrace? trace = null) =>
        labels is null ? ForwardAfter(null, x, t, trace) : throw new ArgumentException("The network has no classes. Leave the labels out.");

    /// <summary>Computes the network.</summary>
    /// <param name="earlier">
    /// An estimate of the picture, [N,C,H,W], borrowed; null: none, and zeros where the network looks for one.
    /// </param>
    /// <param name="x">[N,C,H,W] float32, borrowed; H and W multiples of the stride.</param>
    /// <param name="t">[N] or [1] times.</param>
    /// <param name="trace">Told every module's output.</param>
    /// <returns>[N,out_dim,H,W] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor ForwardAfter(Tensor? earlier, Tensor x, Tensor t, ModuleTrace? trace = null)
    {
        Check(x, earlier);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor input = x.to(ScalarType.Float32);
        if (Config.SelfCondition)
            input = torch.cat([earlier ?? torch.zeros_like(input), input], dim: 1);
        Tensor first = _in.Forward(ChannelsLast.Of(input));
        trace?.Invoke("init_conv", first);
        Tensor embedding = _time.Forward(t);
        trace?.Invoke("time_mlp", embedding);
        embedding = torch.nn.functional.silu(embedding);

        Stack<Tensor> skips = [];
        Tensor h = first.alias();
        foreach (Level level in _down)
        {
            skips.Push(h = Step(h, v => level.First.Forward(v, embedding, trace), $"{level.Name}.0", trace));
            h = Step(h, v => level.Second.Forward(v, embedding, trace), $"{level.Name}.1", trace, owned: false);
            skips.Push(h = Step(h, v => level.Attention.Forward(v, trace), null, trace));
            h = Step(h, level.Resample, $"{level.Name}.3", trace, owned: false);
        }
        h = Step(h, v => _middleFirst.Forward(v, embedding, trace), "mid_block1", trace);
        h = Step(h, v => _middleAttention.Forward(v, trace), null, trace);
        h = Step(h, v => _middleSecond.Forward(v, embedding, trace), "mid_block2", trace);
        foreach (Level level in _up)
        {
            h = Step(Joined(h, skips.Pop()), v => level.First.Forward(v, embedding, trace), $"{level.Name}.0", trace);
            h = Step(Joined(h, skips.Pop()), v => level.Second.Forward(v, embedding, trace), $"{level.Name}.1", trace);
            h = Step(h, v => level.Attention.Forward(v, trace), null, trace);
            h = Step(h, level.Resample, $"{level.Name}.3", trace);
        }
        h = Step(Joined(h, first), v => _final.Forward(v, embedding, trace), "final_res_block", trace);
        Tensor output = _out.Forward(h.to(ScalarType.Float32));
        trace?.Invoke("final_conv", output);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>One step; what it leaves behind is freed unless it is kept for the way up.</summary>
    private static Tensor Step(Tensor before, Func<Tensor, Tensor> compute, string? name, ModuleTrace? trace, bool owned = true)
    {
        Tensor after = compute(before);
        if (owned)
            before.Dispose();
        if (name is not null)
            trace?.Invoke(name, after);
        return after;
    }

    /// <summary>Features beside those kept on the way down, both of which are freed.</summary>
    private static Tensor Joined(Tensor below, Tensor kept)
    {
        using (below)
        using (kept)
            return torch.cat([below, kept], dim: 1);
    }

    private void Check(Tensor x, Tensor? earlier)
    {
        if (x.dim() != 4 || x.shape[1] != Channels || x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The network takes [N,{Channels},H,W] with sides that are multiples of {SizeMultiple}, not "
                    + $"[{string.Join(",", x.shape)}]. Pad the picture and crop the result."
            );
        if (earlier is not null && !(Config.SelfCondition && earlier.shape.SequenceEqual(x.shape)))
            throw new ArgumentException("An earlier estimate must have the picture's shape, and the network must look for one.");
    }

    /// <summary>Two blocks, attention, and the resampling to the next level.</summary>
    private sealed class Level(LucidrainsUNet network, string name, int inputs, int outputs, int level, Func<Tensor, Tensor> resample)
    {
        public string Name { get; } = name;

        public LucidrainsResidualBlock First { get; } = new(network, $"{name}.0", inputs, outputs);

        public LucidrainsResidualBlock Second { get; } = new(network, $"{name}.1", inputs, outputs);

        public LucidrainsAttention Attention { get; } = new(network, $"{name}.2", outputs, level, network.Config.IsFull(level));

        public Func<Tensor, Tensor> Resample { get; } = resample;
    }
}
