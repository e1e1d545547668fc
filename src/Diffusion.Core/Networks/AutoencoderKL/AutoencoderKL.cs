using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The autoencoder of Stable Diffusion (Rombach et al. 2022): pictures to Gaussians of latents an eighth as large, and latents back to
/// pictures. diffusers' AutoencoderKL, with its parameter names.
/// </summary>
public sealed class AutoencoderKL : Network
{
    private readonly LatentEncoder _encoder;
    private readonly LatentDecoder _decoder;
    private readonly Conv2d _quant,
        _postQuant;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public AutoencoderKL(AutoencoderKLConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        int moments = 2 * config.LatentChannels;
        _encoder = new LatentEncoder(
            this,
            "encoder",
            LatentEncoderNames.Diffusers,
            new(
                config.InChannels,
                moments,
                config.BlockOutChannels[0],
                config.BlockOutChannels,
                config.LayersPerBlock,
                config.NormNumGroups
            )
        );
        _decoder = new LatentDecoder(this, "decoder", config);
        _quant = new Conv2d(this, "quant_conv", moments, moments, kernel: 1, keepFloat32: true);
        _postQuant = new Conv2d(this, "post_quant_conv", config.LatentChannels, config.LatentChannels, kernel: 1, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public AutoencoderKLConfig Config { get; }

    /// <summary>Sides of pictures must be multiples of this: pixels for one of the latent.</summary>
    public override int SizeMultiple => Config.Factor;

    /// <summary>
    /// The decoder's last level: a doubled picture of the second width, a convolution of it, and norms. Fitted to the resident memory of
    /// decoding at 512 pixels.
    /// </summary>
    public override double ValuesPerPixel => 3.5 * Config.BlockOutChannels[Math.Min(1, Config.BlockOutChannels.Count - 1)];

    /// <summary>Encodes pictures.</summary>
    /// <param name="x">[N,C,H,W] float32 on [-1,1], borrowed; H and W multiples of <see cref="SizeMultiple"/>.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>[N,2L,h,w]: mean and logarithm of the variance, see <see cref="LatentGaussian"/>; the caller owns it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Encode(Tensor x, ModuleTrace? trace = null)
    {
        if (x.dim() != 4 || x.shape[1] != Config.InChannels || x.shape[2] % SizeMultiple != 0 || x.shape[3] % SizeMultiple != 0)
            throw new ArgumentException(
                $"The encoder takes [N,{Config.InChannels},H,W] with sides that are multiples of {SizeMultiple}, not "
                    + $"[{string.Join(",", x.shape)}]."
            );
        using Tensor encoded = _encoder.Forward(x, trace);
        Tensor moments = _quant.Forward(encoded);
        trace?.Invoke("quant_conv", moments);
        return moments;
    }

    /// <summary>Decodes latents.</summary>
    /// <param name="z">[N,L,h,w] float32, as they were before the scaling, borrowed.</param>
    /// <param name="trace">Told every module's output; costs nothing when null.</param>
    /// <returns>[N,C,H,W] float32 on [-1,1], not clipped; the caller owns it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Decode(Tensor z, ModuleTrace? trace = null)
    {
        if (z.dim() != 4 || z.shape[1] != Config.LatentChannels)
            throw new ArgumentException($"The decoder takes [N,{Config.LatentChannels},h,w], not [{string.Join(",", z.shape)}].");
        using Tensor wide = _postQuant.Forward(z);
        trace?.Invoke("post_quant_conv", wide);
        return _decoder.Forward(wide, trace);
    }
}
