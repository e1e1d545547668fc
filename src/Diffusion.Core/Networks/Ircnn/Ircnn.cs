using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The denoisers of Zhang et al., "Learning Deep CNN Denoiser Prior for Image Restoration" (2017): IRCNN of cszn/KAIR, with its parameter
/// names, one network for every two gray levels of noise.
/// </summary>
public sealed class Ircnn : DenoisingNetwork
{
    private static readonly int[] Dilations = [1, 2, 3, 4, 3, 2, 1];
    private readonly ConvolutionStack[] _models;

    /// <summary>Declares all parameters.</summary>
    public Ircnn(IrcnnConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        _models =
        [
            .. Enumerable
                .Range(0, config.Networks)
                .Select(i => new ConvolutionStack(
                    this,
                    config.Networks == 1 ? "model" : $"{i}.model",
                    config.Channels,
                    config.Width,
                    config.Channels,
                    Dilations
                )),
        ];
    }

    /// <summary>Number of convolutions of each network.</summary>
    public static int Layers => Dilations.Length;

    /// <summary>The constructor arguments.</summary>
    public IrcnnConfig Config { get; }

    /// <inheritdoc/>
    public override int Channels => Config.Channels;

    /// <inheritdoc/>
    public override int? ReceptiveField => 2 * Dilations.Sum() + 1;

    /// <summary>From the first network's level to the last one's; of a single network the level is not known.</summary>
    public override (double Min, double Max) NoiseRange =>
        Config.Networks == 1 ? (0, 50 / 255.0) : (2 / 255.0, 2 * Config.Networks / 255.0);

    /// <inheritdoc/>
    public override double ValuesPerPixel => 3.0 * Config.Width;

    /// <summary>Which network is for a noise level: the one of the next even gray level.</summary>
    /// <param name="sigma">Noise on [0,1].</param>
    public int IndexOf(double sigma) => Math.Clamp((int)Math.Ceiling(255 * sigma / 2) - 1, 0, Config.Networks - 1);

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma) => Forward(x, IndexOf(sigma));

    /// <summary>Computes one of the networks.</summary>
    /// <param name="x">[N,in_nc,H,W] float32 on [0,1], borrowed.</param>
    /// <param name="index">Which network.</param>
    /// <param name="trace">Told what convolutions give, before ReLU, and the predicted <c>noise</c>.</param>
    /// <returns>The clean picture, [N,in_nc,H,W] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape is another one.</exception>
    public Tensor Forward(Tensor x, int index, ModuleTrace? trace = null)
    {
        if (x.dim() != 4 || x.shape[1] != Config.Channels)
            throw new ArgumentException($"The network takes [N,{Config.Channels},H,W], not [{string.Join(",", x.shape)}].");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor noise = _models[index].Forward(x, trace);
        trace?.Invoke("noise", noise);
        return (x - noise).MoveToOuterDisposeScope();
    }
}
