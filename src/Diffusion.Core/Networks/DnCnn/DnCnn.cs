using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The denoiser of Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising" (2017): DnCNN and FDnCNN
/// of cszn/KAIR, with their parameter names.
/// </summary>
/// <remarks>
/// DnCNN predicts the noise of one level, or of any (blind), and is not told the level; FDnCNN sees a map of it and predicts the picture.
/// </remarks>
public sealed class DnCnn : DenoisingNetwork
{
    private readonly ConvolutionStack _model;

    /// <summary>Declares all parameters.</summary>
    public DnCnn(DnCnnConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        int[] dilations = [.. Enumerable.Repeat(1, config.Layers)];
        _model = new ConvolutionStack(this, "model", config.Inputs, config.Width, config.Outputs, dilations, config.Numbering);
    }

    /// <summary>The constructor arguments.</summary>
    public DnCnnConfig Config { get; }

    /// <inheritdoc/>
    public override int Channels => Config.Outputs;

    /// <inheritdoc/>
    public override int? ReceptiveField => 2 * Config.Layers + 1;

    /// <summary>Blind networks take up to about 55 of 255 gray levels (the paper's words), those that see the level up to 75.</summary>
    public override (double Min, double Max) NoiseRange => (0, (Config.SeesNoiseLevel ? 75 : 55) / 255.0);

    /// <inheritdoc/>
    public override double ValuesPerPixel => 3.0 * Config.Width;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma)
    {
        using Tensor level = torch.tensor([(float)sigma], device: x.device);
        return Forward(x, level);
    }

    /// <summary>Computes the network.</summary>
    /// <param name="x">[N,out_nc,H,W] float32 on [0,1], borrowed.</param>
    /// <param name="sigma">[N] or [1] noise levels on [0,1], borrowed; ignored where the network does not see them.</param>
    /// <param name="trace">Told what convolutions and norms give, before ReLU, and the predicted <c>noise</c>.</param>
    /// <returns>The clean picture, [N,out_nc,H,W] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape is another one.</exception>
    public Tensor Forward(Tensor x, Tensor sigma, ModuleTrace? trace = null)
    {
        if (x.dim() != 4 || x.shape[1] != Config.Outputs)
            throw new ArgumentException($"The network takes [N,{Config.Outputs},H,W], not [{string.Join(",", x.shape)}].");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = Config.Rounds ? EightBits.Round(x) : x.alias();
        if (Config.SeesNoiseLevel)
        {
            Tensor map = sigma.reshape(-1, 1, 1, 1).to(ScalarType.Float32).expand(x.shape[0], 1, x.shape[2], x.shape[3]);
            return _model.Forward(torch.cat([seen, map], dim: 1), trace).MoveToOuterDisposeScope();
        }
        Tensor noise = _model.Forward(seen, trace);
        trace?.Invoke("noise", noise);
        return (seen - noise).MoveToOuterDisposeScope();
    }
}
