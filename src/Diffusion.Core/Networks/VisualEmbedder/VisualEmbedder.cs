using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The visual representation embedder of Wang et al., "OSDFace: One-Step Diffusion Model for Face Restoration" (2025): the encoder of a
/// vector-quantising autoencoder and its codes, which stand for a picture as the tokens of a text stand for it elsewhere.
/// </summary>
public sealed class VisualEmbedder : Network
{
    private readonly LatentEncoder _encoder;
    private readonly Parameter _codes;
    private readonly Conv2d _quant;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public VisualEmbedder(VisualEmbedderConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        int[] widths = [.. config.ChannelMult.Select(factor => config.Channels * factor)];
        _encoder = new LatentEncoder(
            this,
            "encoder",
            LatentEncoderNames.Taming,
            new(config.InChannels, config.ZChannels, config.Channels, widths, config.NumResBlocks, config.NormGroups)
            {
                Attends = level => config.AttnResolutions.Contains(config.Resolution >> level),
                Heads = config.Heads,
                Epsilon = config.NormEps,
            }
        );
        _codes = Declare("quantize.embedding.weight", [config.NumCodes, config.EmbedDim], Init.Normal, keepFloat32: true);
        _quant = new Conv2d(this, "quant_conv", config.ZChannels, config.EmbedDim, kernel: 1, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public VisualEmbedderConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => 1 << (Config.ChannelMult.Count - 1);

    /// <summary>A block's input, its norms and a convolution's output at the first two levels.</summary>
    public override double ValuesPerPixel => 5.0 * Config.Channels * Config.ChannelMult[0];

    /// <summary>Encodes pictures.</summary>
    /// <param name="x">[N,C,H,W] float32, borrowed.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>[N,embed_dim,h,w] float32: latents before codes are chosen; the caller owns it.</returns>
    public Tensor Encode(Tensor x, ModuleTrace? trace = null)
    {
        using Tensor encoded = _encoder.Forward(x, trace);
        Tensor z = _quant.Forward(encoded);
        trace?.Invoke("quant_conv", z);
        return z;
    }

    /// <summary>The codes that are nearest to latents.</summary>
    /// <param name="z">[1,embed_dim,h,w], borrowed.</param>
    /// <returns>The caller disposes it.</returns>
    public NearestCodes Nearest(Tensor z) => NearestCodes.Of(z, _codes.Value);

    /// <summary>
    /// The tokens of pictures: each picture's distinct nearest codes, the nearest first, and zeros where there are fewer.
    /// </summary>
    /// <param name="z">[N,embed_dim,h,w], borrowed.</param>
    /// <returns>[N,n_min,embed_dim] float32; the caller owns it.</returns>
    public Tensor Tokens(Tensor z)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] each =
        [
            .. Enumerable
                .Range(0, (int)z.shape[0])
                .Select(n =>
                {
                    using NearestCodes nearest = Nearest(z.narrow(0, n, 1));
                    return nearest.Distinct(Config.Tokens);
                }),
        ];
        return torch.cat(each).MoveToOuterDisposeScope();
    }
}
