using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// A one-step restorer of aligned faces: OSDFace (Wang et al. 2025) in miniature. A vector-quantising embedder turns a glance at the
/// degraded face into visual tokens; one evaluation of a UNet that looks at them gives what is to be added to the face.
/// </summary>
/// <remarks>
/// It works on pixels and knows no time. Faces are aligned, so the levels with attention know where in the face they are: features by
/// learned maps, what attends and what is attended to by waves of row and column (<see cref="NearestCodes.Positions"/>).
/// </remarks>
public sealed class FaceUNet : Network
{
    private readonly Linear _change1,
        _change2;
    private readonly Parameter _places;
    private readonly Conv2d _in,
        _out;
    private readonly Level[] _levels;
    private readonly Lazy<Tensor> _tokenWaves;
    private readonly ResidualBlock _first,
        _second;
    private readonly Look _middle;
    private readonly GroupNorm _norm;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public FaceUNet(FaceUNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        Embedder = new FaceEmbedder(this, config);
        _places = Declare("change.places", [1, (long)config.TokenSide * config.TokenSide, config.Context], Init.Zeros, keepFloat32: true);
        _change1 = new Linear(this, "change.conv1", config.CodeWidth, config.Context, keepFloat32: true);
        _change2 = new Linear(this, "change.conv2", config.Context, config.Context, keepFloat32: true);
        IReadOnlyList<int> widths = config.Widths;
        long pixels = 3L * config.Patch * config.Patch;
        _in = new Conv2d(this, "unet.conv_in", pixels, widths[0], keepFloat32: true, result: Policy.NetworkDtype);
        _levels = [.. Enumerable.Range(0, widths.Count).Select(level => new Level(this, config, level))];
        _first = Block(this, "unet.mid.block_1", widths[^1], widths[^1], config);
        _middle = new Look(this, "unet.mid.attn", config, widths.Count - 1);
        _second = Block(this, "unet.mid.block_2", widths[^1], widths[^1], config);
        _tokenWaves = Waves(config.TokenSide, config.Context);
        _norm = new GroupNorm(this, "unet.norm_out", widths[0], config.Groups);
        _out = new Conv2d(this, "unet.conv_out", widths[0], pixels, zero: true, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public FaceUNetConfig Config { get; }

    /// <summary>What makes the tokens.</summary>
    public FaceEmbedder Embedder { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => Config.SizeMultiple;

    /// <inheritdoc/>
    public override double ValuesPerPixel => 8.0 * Config.Widths[0] / (Config.Patch * Config.Patch);

    /// <summary>Restores faces in one evaluation.</summary>
    /// <param name="x">[N,3,side,side] float32 on [-1,1], aligned, borrowed.</param>
    /// <returns>In the same shape, not clipped; the caller owns it.</returns>
    public Tensor Restore(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor codes = Embedder.Quantize(Embedder.Encode(x));
        return Forward(x, Context(codes)).MoveToOuterDisposeScope();
    }

    /// <summary>The context that the UNet looks at.</summary>
    /// <param name="codes">[N,code_width,h,w] chosen codes, borrowed.</param>
    /// <returns>[N,h w,context]; the caller owns it.</returns>
    public Tensor Context(Tensor codes)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor tokens = ChannelsLast.Rows(codes).flatten(1, 2);
        Tensor hidden = torch.nn.functional.silu(_change1.Forward(tokens));
        Tensor places = _places.Value + _tokenWaves.Value.to(_places.Value.device);
        return (torch.nn.functional.silu(_change2.Forward(hidden)) + places).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the UNet.</summary>
    /// <param name="x">[N,3,side,side] float32 on [-1,1], borrowed.</param>
    /// <param name="context">[N,T,context] tokens, borrowed; zeros say nothing.</param>
    /// <returns>The restored faces, not clipped; the caller owns them.</returns>
    /// <exception cref="ArgumentException">Faces of another size.</exception>
    public Tensor Forward(Tensor x, Tensor context)
    {
        if (x.dim() != 4 || x.shape[1] != 3 || x.shape[2] != Config.Side || x.shape[3] != Config.Side)
            throw new ArgumentException($"The network takes faces [N,3,{Config.Side},{Config.Side}], not [{string.Join(",", x.shape)}].");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = context.to(Policy.NetworkDtype);
        Tensor h = _in.Forward(ChannelsLast.Of(torch.nn.functional.pixel_unshuffle(x, Config.Patch)));
        Stack<Tensor> skips = new();
        foreach (Level level in _levels)
        {
            h = level.Down(h);
            skips.Push(h);
            h = level.Halved(h);
        }
        h = _second.Forward(_middle.Forward(_first.Forward(h), seen));
        foreach (Level level in _levels.Reverse())
            h = level.Up(h, skips.Pop(), seen);
        Tensor change = _out.Forward(_norm.Activate(h, dtype: ScalarType.Float32));
        return (x + torch.nn.functional.pixel_shuffle(change, Config.Patch)).MoveToOuterDisposeScope();
    }

    internal static ResidualBlock Block(Network network, string name, long inputs, long outputs, FaceUNetConfig config) =>
        new(network, name, inputs, outputs, null, scaleShift: false, names: ResidualNames.Diffusers, groups: config.Groups);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (
            Lazy<Tensor> waves in _levels.Select(level => level.Waves).Append(_middle.Waves).Append(_tokenWaves).OfType<Lazy<Tensor>>()
        )
            if (waves.IsValueCreated)
                waves.Value.Dispose();
        base.Dispose();
    }

    /// <summary>Waves of row and column, [1,side side,width].</summary>
    private static Lazy<Tensor> Waves(int side, int width) =>
        new(() =>
        {
            using Tensor table = NearestCodes.Positions(side, width);
            return table.unsqueeze(0).DetachFromDisposeScope();
        });

    /// <summary>Attention to the tokens, of pixels that know their place.</summary>
    private sealed class Look(Network network, string name, FaceUNetConfig config, int level)
    {
        private readonly int _side = config.Side / config.Patch >> level;
        private readonly SpatialTransformer _transformer = new(
            network,
            name,
            config.Widths[level],
            config.Widths[level] / config.HeadWidth,
            config.Context,
            config.Groups,
            linear: true
        );

        private readonly Linear? _placed = config.PlacedTokens
            ? new Linear(network, $"{name}.placed", config.Context, config.Widths[level], bias: false, zero: true)
            : null;

        public Lazy<Tensor> Waves { get; } = FaceUNet.Waves(config.Side / config.Patch >> level, config.Widths[level]);

        public Tensor Forward(Tensor h, Tensor context)
        {
            Tensor waves = Waves.Value.to(h.dtype, h.device).view(1, _side, _side, -1).permute(0, 3, 1, 2);
            Tensor seen = _placed is null ? h : ChannelsLast.Of(h + Spread(_placed.Forward(context)));
            return _transformer.Forward(seen + waves, context) - waves;
        }

        // The square grid of tokens at this level's size; one blank token is a grid of one.
        private Tensor Spread(Tensor tokens)
        {
            long side = (long)Math.Sqrt(tokens.shape[1]);
            Tensor grid = tokens.view(tokens.shape[0], side, side, -1).permute(0, 3, 1, 2);
            if (side > _side && side % _side == 0)
                return torch.nn.functional.avg_pool2d(grid, side / _side, side / _side);
            return side == _side ? grid : torch.nn.functional.interpolate(grid, size: [_side, _side]);
        }
    }

    /// <summary>One resolution: a block on the way down and one, beside what the way down kept, on the way up.</summary>
    private sealed class Level
    {
        private readonly ResidualBlock _down,
            _up;
        private readonly Look? _look;
        private readonly Parameter? _places;
        private readonly Conv2d? _halve,
            _narrow;

        public Level(Network network, FaceUNetConfig config, int level)
        {
            (int count, int width) = (config.Widths.Count, config.Widths[level]);
            string down = $"unet.down.{level}",
                up = $"unet.up.{level}";
            _down = Block(network, $"{down}.block", width, width, config);
            _up = Block(network, $"{up}.block", 2 * width, width, config);
            if (level >= count - config.AttentiveLevels)
            {
                int side = config.Side / config.Patch >> level;
                _places = network.Declare($"{down}.places", [1, width, side, side], Init.Zeros, keepFloat32: true);
                _look = new Look(network, $"{up}.attn", config, level);
            }
            if (level < count - 1)
                _halve = new Conv2d(network, $"{down}.halve", width, config.Widths[level + 1], stride: 2);
            if (level > 0)
                _narrow = new Conv2d(network, $"{up}.narrow", width, config.Widths[level - 1], kernel: 1);
        }

        public Lazy<Tensor>? Waves => _look?.Waves;

        public Tensor Down(Tensor h) => _down.Forward(_places is null ? h : ChannelsLast.Of(h + _places.Value.to(h.dtype)));

        public Tensor Halved(Tensor h) => _halve?.Forward(h) ?? h;

        public Tensor Up(Tensor h, Tensor kept, Tensor context)
        {
            Tensor y = _up.Forward(torch.cat([h, kept], dim: 1));
            y = _look?.Forward(y, context) ?? y;
            return _narrow is null ? y : Resampling.Double(_narrow.Forward(y));
        }
    }
}
