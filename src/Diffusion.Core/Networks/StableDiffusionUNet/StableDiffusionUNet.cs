using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The UNet of Stable Diffusion 1.x and 2.x (Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", 2022):
/// diffusers' UNet2DConditionModel, with its parameter names.
/// </summary>
/// <remarks>
/// It sees a noisy latent (beside others where it has more input channels), a time, and a context of tokens. Sides need not be multiples
/// of anything: on the way up features take the size of what was kept on the way down.
/// Convolutions and products compute in <see cref="ComputePolicy.NetworkDtype"/>; the first and last convolution, the time and norms in
/// float32.
/// </remarks>
public sealed class StableDiffusionUNet : Network
{
    private readonly Conv2d _in,
        _out;
    private readonly Sinusoid _waves;
    private readonly TimestepEmbedding _time;
    private readonly List<(UNetLevel Level, Conv2d? Halve)> _down = [];
    private readonly List<(UNetLevel Level, Conv2d? AfterDoubling)> _up = [];
    private readonly UNetLevel _middle;
    private readonly GroupNorm _norm;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public StableDiffusionUNet(StableDiffusionUNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        IReadOnlyList<int> widths = config.BlockOutChannels;
        int levels = widths.Count,
            layers = config.LayersPerBlock,
            width = widths[0];
        _in = new Conv2d(this, "conv_in", config.InChannels, width, keepFloat32: true, result: Policy.NetworkDtype);
        _waves = new Sinusoid(width);
        _time = new TimestepEmbedding(this, "time_embedding.linear_1", "time_embedding.linear_2", _waves, 4L * width);

        Stack<int> skips = new([width]);
        for (int level = 0; level < levels; level++)
        {
            string name = $"down_blocks.{level}";
            int[] inputs = [width, .. Enumerable.Repeat(widths[level], layers - 1)];
            width = widths[level];
            UNetLevel blocks = new(this, name, inputs, width, config.AttendsDown(level) ? layers : 0, config.HeadsOf(level));
            bool last = level == levels - 1;
            _down.Add((blocks, last ? null : new Conv2d(this, $"{name}.downsamplers.0.conv", width, width, stride: 2)));
            for (int i = 0; i < (last ? layers : layers + 1); i++)
                skips.Push(width);
        }
        for (int level = 0; level < levels; level++)
        {
            string name = $"up_blocks.{level}";
            int own = levels - 1 - level;
            int[] inputs = [.. Enumerable.Range(0, layers + 1).Select(i => (i == 0 ? width : widths[own]) + skips.Pop())];
            width = widths[own];
            UNetLevel blocks = new(this, name, inputs, width, config.AttendsUp(level) ? layers + 1 : 0, config.HeadsOf(own));
            _up.Add((blocks, level == levels - 1 ? null : new Conv2d(this, $"{name}.upsamplers.0.conv", width, width)));
        }
        _middle = new UNetLevel(this, "mid_block", [widths[^1], widths[^1]], widths[^1], 1, config.HeadsOf(levels - 1));
        _norm = new GroupNorm(this, "conv_norm_out", width, config.NormNumGroups, config.NormEps);
        _out = new Conv2d(this, "conv_out", width, config.OutChannels, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public StableDiffusionUNetConfig Config { get; }

    /// <summary>
    /// What is kept on the way down, a block's input, norm and output on the way up, and a transformer's wide layer, for each pixel of
    /// the latent. Fitted to the resident memory of evaluations at 64x64.
    /// </summary>
    public override double ValuesPerPixel => 60.0 * Config.BlockOutChannels[0];

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,in_channels,h,w] float32, borrowed.</param>
    /// <param name="t">[N] times, or [1] for the whole batch; borrowed.</param>
    /// <param name="context">[N or 1,tokens,cross_attention_dim], borrowed.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>[N,out_channels,h,w] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Forward(Tensor x, Tensor t, Tensor context, ModuleTrace? trace = null)
    {
        Check(x, t, context);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor times = t.shape[0] == x.shape[0] ? t : t.expand(x.shape[0]);
        trace?.Invoke("time_proj", _waves.Of(times));
        Tensor embedding = _time.Forward(times);
        trace?.Invoke("time_embedding", embedding);
        (Tensor, Tensor) told = (torch.nn.functional.silu(embedding), context.expand(x.shape[0], -1, -1).to(Policy.NetworkDtype));

        Stack<Tensor> kept = [];
        Tensor h = _in.Forward(ChannelsLast.Of(x.to(ScalarType.Float32)));
        trace?.Invoke("conv_in", h);
        kept.Push(h);
        for (int level = 0; level < _down.Count; level++)
        {
            (UNetLevel blocks, Conv2d? halve) = _down[level];
            for (int i = 0; i < blocks.Count; i++)
                kept.Push(h = blocks.Forward(i, h, told, trace));
            if (halve is not null)
                kept.Push(h = halve.Forward(h));
            trace?.Invoke($"down_blocks.{level}", h);
        }
        h = Middle(h, told, trace);
        for (int level = 0; level < _up.Count; level++)
        {
            (UNetLevel blocks, Conv2d? afterDoubling) = _up[level];
            for (int i = 0; i < blocks.Count; i++)
            {
                using Tensor both = Joined(h, kept.Pop());
                h = blocks.Forward(i, both, told, trace);
            }
            if (afterDoubling is not null)
                h = Doubled(h, kept.Peek(), afterDoubling);
            trace?.Invoke($"up_blocks.{level}", h);
        }
        using Tensor features = h;
        trace?.Invoke("conv_norm_out", _norm.Forward(features, dtype: ScalarType.Float32));
        Tensor output = _out.Forward(_norm.Activate(features, dtype: ScalarType.Float32));
        trace?.Invoke("conv_out", output);
        return output.MoveToOuterDisposeScope();
    }

    private Tensor Middle(Tensor h, (Tensor, Tensor) told, ModuleTrace? trace)
    {
        using Tensor first = _middle.Forward(0, h, told, trace);
        Tensor second = _middle.Forward(1, first, told, trace);
        trace?.Invoke("mid_block", second);
        return second;
    }

    /// <summary>Features beside those kept on the way down, both of which are freed.</summary>
    private static Tensor Joined(Tensor below, Tensor kept)
    {
        using (below)
        using (kept)
            return torch.cat([below, kept], dim: 1);
    }

    /// <summary>Pixels repeated to the size of what comes next from the way down; the features are freed.</summary>
    private static Tensor Doubled(Tensor h, Tensor next, Conv2d convolution)
    {
        using (h)
        {
            using Tensor large = torch.nn.functional.interpolate(
                h,
                size: [next.shape[2], next.shape[3]],
                mode: torch.InterpolationMode.Nearest
            );
            return convolution.Forward(large);
        }
    }

    private void Check(Tensor x, Tensor t, Tensor context)
    {
        if (x.dim() != 4 || x.shape[1] != Config.InChannels || x.shape[2] < 1 || x.shape[3] < 1)
            throw new ArgumentException($"The network takes [N,{Config.InChannels},h,w], not [{string.Join(",", x.shape)}].");
        if (t.dim() != 1 || (t.shape[0] != 1 && t.shape[0] != x.shape[0]))
            throw new ArgumentException($"There are times [{string.Join(",", t.shape)}] for {x.shape[0]} latents. Give one, or one each.");
        if (context.dim() != 3 || context.shape[2] != Config.CrossAttentionDim || (context.shape[0] != 1 && context.shape[0] != x.shape[0]))
            throw new ArgumentException(
                $"The network takes a context [{x.shape[0]},tokens,{Config.CrossAttentionDim}], not [{string.Join(",", context.shape)}]."
            );
    }
}
