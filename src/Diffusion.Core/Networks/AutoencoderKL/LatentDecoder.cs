using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>The decoder beside <see cref="LatentEncoder"/>, with diffusers' names: <c>up_blocks.0</c> is the coarsest level.</summary>
internal sealed class LatentDecoder
{
    private readonly string _name;
    private readonly Conv2d _in,
        _out;
    private readonly MiddleOfAutoencoder _middle;
    private readonly List<(ResidualBlock[] Blocks, Conv2d? AfterDoubling)> _levels = [];
    private readonly GroupNorm _norm;

    /// <summary>Declares it.</summary>
    public LatentDecoder(Network network, string name, AutoencoderKLConfig config)
    {
        _name = name;
        int[] widths = [.. config.BlockOutChannels.Reverse()];
        (int groups, int width) = (config.NormNumGroups, widths[0]);
        _in = new Conv2d(network, $"{name}.conv_in", config.LatentChannels, width, keepFloat32: true, result: network.Policy.NetworkDtype);
        for (int level = 0; level < widths.Length; level++)
        {
            List<ResidualBlock> blocks = [];
            for (int i = 0; i <= config.LayersPerBlock; i++)
            {
                string block = $"{name}.up_blocks.{level}.resnets.{i}";
                blocks.Add(
                    LatentEncoderNames.Diffusers.NewBlock(network, block, width, widths[level], groups, LatentEncoderShape.UsualEpsilon)
                );
                width = widths[level];
            }
            bool last = level == widths.Length - 1;
            _levels.Add(([.. blocks], last ? null : new Conv2d(network, $"{name}.up_blocks.{level}.upsamplers.0.conv", width, width)));
        }
        _middle = new MiddleOfAutoencoder(network, name, LatentEncoderNames.Diffusers, widths[0], groups, LatentEncoderShape.UsualEpsilon);
        _norm = new GroupNorm(network, $"{name}.conv_norm_out", width, groups, LatentEncoderShape.UsualEpsilon);
        _out = new Conv2d(network, $"{name}.conv_out", width, config.OutChannels, keepFloat32: true);
    }

    /// <summary>[N,latent,h,w] float32, borrowed, to [N,outputs,f h,f w] float32, not clipped; the caller owns it.</summary>
    public Tensor Forward(Tensor z, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = _in.Forward(ChannelsLast.Of(z));
        trace?.Invoke($"{_name}.conv_in", h);
        h = Replaced(h, y => _middle.Forward(y, trace), "mid_block");
        for (int level = 0; level < _levels.Count; level++)
        {
            (ResidualBlock[] blocks, Conv2d? afterDoubling) = _levels[level];
            for (int i = 0; i < blocks.Length; i++)
                h = Replaced(h, blocks[i].Forward, $"up_blocks.{level}.resnets.{i}");
            if (afterDoubling is not null)
                h = Replaced(Freed(h, Resampling.Double), afterDoubling.Forward, $"up_blocks.{level}.upsamplers.0");
            trace?.Invoke($"{_name}.up_blocks.{level}", h);
        }
        trace?.Invoke($"{_name}.conv_norm_out", _norm.Forward(h, dtype: ScalarType.Float32));
        using Tensor activated = Freed(h, y => _norm.Activate(y, dtype: ScalarType.Float32, reuse: true));
        Tensor output = _out.Forward(activated);
        trace?.Invoke($"{_name}.conv_out", output);
        return output.MoveToOuterDisposeScope();

        Tensor Replaced(Tensor before, Func<Tensor, Tensor> layer, string part)
        {
            Tensor after = Freed(before, layer);
            trace?.Invoke($"{_name}.{part}", after);
            return after;
        }
    }

    private static Tensor Freed(Tensor before, Func<Tensor, Tensor> layer)
    {
        using (before)
            return layer(before);
    }
}
