using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The denoiser of Zhang et al., "FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image Denoising" (2018): FFDNet of cszn/KAIR,
/// with its parameter names.
/// </summary>
/// <remarks>Squares of 2x2 pixels become channels beside one that holds the noise level; the result is the picture itself.</remarks>
public sealed class FfdNet : DenoisingNetwork
{
    private readonly ConvolutionStack _model;

    /// <summary>Declares all parameters.</summary>
    public FfdNet(FfdNetConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        int[] dilations = [.. Enumerable.Repeat(1, config.Layers)];
        _model = new ConvolutionStack(this, "model", 4L * config.Channels + 1, config.Width, 4L * config.Channels, dilations);
    }

    /// <summary>The constructor arguments.</summary>
    public FfdNetConfig Config { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => 2;

    /// <inheritdoc/>
    public override int Channels => Config.Channels;

    /// <inheritdoc/>
    public override int? ReceptiveField => 4 * Config.Layers + 3;

    /// <summary>It takes noise of up to 75 of 255 gray levels.</summary>
    public override (double Min, double Max) NoiseRange => (0, 75 / 255.0);

    /// <inheritdoc/>
    public override double ValuesPerPixel => 3.0 * Config.Width / 4;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma)
    {
        using Tensor level = torch.tensor([(float)sigma], device: x.device);
        return Forward(x, level);
    }

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,in_nc,H,W] float32 on [0,1], borrowed; H and W even.</param>
    /// <param name="sigma">[N] or [1] noise levels on [0,1], borrowed.</param>
    /// <param name="trace">Told <c>m_down</c>, what convolutions give before ReLU, and <c>m_up</c>.</param>
    /// <returns>The clean picture, [N,in_nc,H,W] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape is another one.</exception>
    public Tensor Forward(Tensor x, Tensor sigma, ModuleTrace? trace = null)
    {
        if (x.dim() != 4 || x.shape[1] != Config.Channels || x.shape[2] % 2 != 0 || x.shape[3] % 2 != 0)
            throw new ArgumentException($"The network takes [N,{Config.Channels},H,W] with even sides, not [{string.Join(",", x.shape)}].");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor small = torch.nn.functional.pixel_unshuffle(Config.Rounds ? EightBits.Round(x) : x, 2);
        trace?.Invoke("m_down", small);
        Tensor map = sigma.reshape(-1, 1, 1, 1).to(ScalarType.Float32).expand(small.shape[0], 1, small.shape[2], small.shape[3]);
        Tensor picture = torch.nn.functional.pixel_shuffle(_model.Forward(torch.cat([small, map], dim: 1), trace), 2);
        trace?.Invoke("m_up", picture);
        return picture.MoveToOuterDisposeScope();
    }
}
