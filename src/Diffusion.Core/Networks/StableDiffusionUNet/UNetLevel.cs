using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>One level of the UNet: residual blocks, each with a transformer behind it or none, under one published name.</summary>
internal sealed class UNetLevel
{
    private readonly string _name;
    private readonly ResidualBlock[] _resnets;
    private readonly SpatialTransformer[] _transformers;

    /// <summary>Declares <c>attentions</c> and <c>resnets</c>, in this order.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name.</param>
    /// <param name="inputs">Channels that each residual block sees.</param>
    /// <param name="width">Channels of the level.</param>
    /// <param name="transformers">Number of transformers: none, one behind each block, or one less.</param>
    /// <param name="heads">Heads of each.</param>
    public UNetLevel(StableDiffusionUNet network, string name, IReadOnlyList<int> inputs, int width, int transformers, int heads)
    {
        StableDiffusionUNetConfig config = network.Config;
        _name = name;
        _transformers =
        [
            .. Enumerable
                .Range(0, transformers)
                .Select(i => new SpatialTransformer(
                    network,
                    $"{name}.attentions.{i}",
                    width,
                    heads,
                    config.CrossAttentionDim,
                    config.NormNumGroups,
                    config.UseLinearProjection,
                    config.TransformerLayers
                )),
        ];
        _resnets =
        [
            .. inputs.Select(
                (channels, i) =>
                    new ResidualBlock(
                        network,
                        $"{name}.resnets.{i}",
                        channels,
                        width,
                        4L * config.BlockOutChannels[0],
                        scaleShift: false,
                        names: ResidualNames.Diffusers,
                        groups: config.NormNumGroups,
                        epsilon: config.NormEps
                    )
            ),
        ];
    }

    /// <summary>Number of residual blocks.</summary>
    public int Count => _resnets.Length;

    /// <summary>A residual block and the transformer behind it.</summary>
    /// <param name="i">Which.</param>
    /// <param name="h">[N,C,H,W], borrowed.</param>
    /// <param name="told">Embedding of the time and context, borrowed.</param>
    /// <param name="trace">Told both outputs.</param>
    /// <returns>The caller owns it.</returns>
    public Tensor Forward(int i, Tensor h, (Tensor Embedding, Tensor Context) told, ModuleTrace? trace)
    {
        Tensor y = _resnets[i].Forward(h, told.Embedding);
        trace?.Invoke($"{_name}.resnets.{i}", y);
        if (i >= _transformers.Length)
            return y;
        using (y)
        {
            Tensor z = _transformers[i].Forward(y, told.Context, trace);
            trace?.Invoke($"{_name}.attentions.{i}", z);
            return z;
        }
    }
}
