using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// A conditional UNet that says how noise becomes what a degradation did to a picture: GenDeg (Rajagopalan et al. 2025) in miniature, on
/// pixels, told the clean picture, the kind, and mu and sigma of the intensity.
/// </summary>
/// <remarks>
/// Features go down and up through levels of halved size, each with a block on the way down and one, beside what the way down kept, on the
/// way up; the coarsest level has attention. Any size that is a multiple of <see cref="SizeMultiple"/> is computed.
/// </remarks>
public sealed class DegradationUNet : Network
{
    // Times and logarithms of intensities are told by the same waves, as numbers from 0 to this.
    private const double WaveScale = 1000,
        LeastMu = 0.002,
        MostMu = 0.7,
        LeastRatio = 0.1,
        MostRatio = 8;
    private readonly TimestepEmbedding _time;
    private readonly Embedding _kinds;
    private readonly TimestepEmbedding _mu,
        _ratio;
    private readonly Conv2d _in,
        _out;
    private readonly Level[] _levels;
    private readonly ResidualBlock _first,
        _second;
    private readonly AttentionBlock _attention;
    private readonly GroupNorm _norm;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public DegradationUNet(DegradationUNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        IReadOnlyList<int> widths = config.Widths;
        long pixels = 3L * config.Patch * config.Patch;
        Sinusoid waves = new(config.Embedding);
        _time = new TimestepEmbedding(this, "time.0", "time.2", waves, config.Embedding);
        _kinds = new Embedding(this, "told.kinds", config.Kinds + 1, config.Embedding);
        _mu = new TimestepEmbedding(this, "told.mu.0", "told.mu.2", waves, config.Embedding);
        _ratio = new TimestepEmbedding(this, "told.ratio.0", "told.ratio.2", waves, config.Embedding);
        _in = new Conv2d(this, "conv_in", 2 * pixels, widths[0], keepFloat32: true, result: Policy.NetworkDtype);
        _levels = [.. Enumerable.Range(0, widths.Count).Select(level => new Level(this, level))];
        _first = Block("mid.block_1", widths[^1], widths[^1]);
        _attention = new AttentionBlock(this, "mid.attn", widths[^1], widths[^1] / config.HeadWidth, QkvLayout.QkvFirst, 0);
        _second = Block("mid.block_2", widths[^1], widths[^1]);
        _norm = new GroupNorm(this, "norm_out", widths[0], config.Groups);
        _out = new Conv2d(this, "conv_out", widths[0], pixels, zero: true, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public DegradationUNetConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => Config.SizeMultiple;

    /// <inheritdoc/>
    public override double ValuesPerPixel => 9.0 * Config.Widths[0] / (Config.Patch * Config.Patch);

    /// <summary>What the network is told beside pictures and time.</summary>
    /// <param name="kinds">[N] int64: 0..kinds-1, or kinds for a sample that is told neither kind nor intensity; borrowed.</param>
    /// <param name="mu">[N] float32, means of |degraded - clean| on [0,1]; borrowed.</param>
    /// <param name="sigma">[N] float32, their standard deviations; borrowed.</param>
    /// <returns>[N,embedding] float32; the caller owns it.</returns>
    public Tensor Tell(Tensor kinds, Tensor mu, Tensor sigma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor told = kinds.lt(Config.Kinds).to(ScalarType.Float32).unsqueeze(1);
        Tensor intensity =
            _mu.Forward(OnScale(mu, LeastMu, MostMu)) + _ratio.Forward(OnScale(sigma / mu.clamp(LeastMu, 1), LeastRatio, MostRatio));
        return (_kinds.Forward(kinds) + told * intensity).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,3,H,W] float32: what is becoming the change of the picture, borrowed.</param>
    /// <param name="clean">[N,3,H,W] float32 on [-1,1], the clean pictures, borrowed.</param>
    /// <param name="t">[N or 1] float32, 0 for none to 1 for nothing but noise; borrowed.</param>
    /// <param name="told">[N or 1,embedding] from <see cref="Tell"/>, borrowed.</param>
    /// <returns>[N,3,H,W] float32, the velocity noise - change; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shapes don't fit.</exception>
    public Tensor Forward(Tensor x, Tensor clean, Tensor t, Tensor told)
    {
        if (x.dim() != 4 || x.shape[1] != 3 || !x.shape.SequenceEqual(clean.shape))
            throw new ArgumentException(
                $"The network takes two pictures [N,3,H,W], not [{string.Join(",", x.shape)}] and [{string.Join(",", clean.shape)}]."
            );
        if (x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The network takes heights and widths that are multiples of {SizeMultiple}, not {x.shape[2]}x{x.shape[3]}."
            );
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor embedding = torch.nn.functional.silu(_time.Forward(t * WaveScale) + told);
        Tensor h = _in.Forward(ChannelsLast.Of(torch.nn.functional.pixel_unshuffle(torch.cat([x, clean], dim: 1), Config.Patch)));
        Stack<Tensor> skips = [];
        foreach (Level level in _levels)
        {
            h = level.Down(h, embedding);
            skips.Push(h);
            h = level.Halved(h);
        }
        h = _second.Forward(_attention.Forward(_first.Forward(h, embedding), embedding), embedding);
        foreach (Level level in _levels.Reverse())
            h = level.Up(h, skips.Pop(), embedding);
        Tensor velocity = _out.Forward(_norm.Activate(h, dtype: ScalarType.Float32));
        return torch.nn.functional.pixel_shuffle(velocity, Config.Patch).MoveToOuterDisposeScope();
    }

    private ResidualBlock Block(string name, long inputs, long outputs) =>
        new(this, name, inputs, outputs, Config.Embedding, scaleShift: true, names: ResidualNames.Diffusers, groups: Config.Groups);

    private static Tensor OnScale(Tensor value, double least, double most) =>
        (value.clamp(least, most).log() - Math.Log(least)) * (WaveScale / Math.Log(most / least));

    /// <summary>One resolution.</summary>
    private sealed class Level
    {
        private readonly ResidualBlock _down,
            _up;
        private readonly Conv2d? _halve,
            _narrow;

        public Level(DegradationUNet network, int level)
        {
            IReadOnlyList<int> widths = network.Config.Widths;
            (string down, string up) = ($"down.{level}", $"up.{level}");
            _down = network.Block($"{down}.block", widths[level], widths[level]);
            _up = network.Block($"{up}.block", 2 * widths[level], widths[level]);
            if (level < widths.Count - 1)
                _halve = new Conv2d(network, $"{down}.halve", widths[level], widths[level + 1], stride: 2);
            if (level > 0)
                _narrow = new Conv2d(network, $"{up}.narrow", widths[level], widths[level - 1], kernel: 1);
        }

        public Tensor Down(Tensor h, Tensor embedding) => _down.Forward(h, embedding);

        public Tensor Halved(Tensor h) => _halve?.Forward(h) ?? h;

        public Tensor Up(Tensor h, Tensor kept, Tensor embedding)
        {
            Tensor y = _up.Forward(torch.cat([h, kept], dim: 1), embedding);
            return _narrow is null ? y : Resampling.Double(_narrow.Forward(y));
        }
    }
}
