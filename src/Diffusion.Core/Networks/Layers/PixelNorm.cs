using Diffusion.Checkpoints;
using Diffusion.Networks.Kernels;

namespace Diffusion.Networks.Layers;

/// <summary>
/// Normalises every pixel by the root mean square over its channels (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019), so
/// that no pixel depends on the size or the rest of the picture.
/// </summary>
public sealed class PixelNorm : INormalization
{
    private readonly Network _network;
    private readonly Parameter _gain,
        _offset;

    /// <summary>Declares <c>NAME.gain</c> and <c>NAME.offset</c>, both [channels].</summary>
    public PixelNorm(Network network, string name, long channels)
    {
        _network = network;
        _gain = network.Declare($"{name}.gain", [channels], Init.Ones, keepFloat32: true);
        _offset = network.Declare($"{name}.offset", [channels], Init.Zeros, keepFloat32: true);
    }

    /// <inheritdoc/>
    public Tensor Activate(Tensor x, (Tensor Scale, Tensor Shift)? modulation = null, ScalarType? dtype = null, bool reuse = false)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = _gain.Value.unsqueeze(0),
            b = _offset.Value.unsqueeze(0);
        if (modulation is var (scale, shift))
            (a, b) = (a * (1 + scale), b * (1 + scale) + shift);
        if (PixelNormSilu.Applies(x) && _network.MayFuse)
            return PixelNormSilu.Forward(x, a, b, dtype ?? x.dtype, reuse).MoveToOuterDisposeScope();
        if (PixelNormSilu.Applies(x) && _network.MayFuseForTraining)
            return PixelNormSilu.Apply(x.to(dtype ?? x.dtype), a, b).MoveToOuterDisposeScope();
        Tensor v = x.to(ScalarType.Float32);
        v = v * (v.square().mean([1L], keepdim: true) + PixelNormSilu.Epsilon).rsqrt();
        return torch
            .nn.functional.silu(v * a.unsqueeze(-1).unsqueeze(-1) + b.unsqueeze(-1).unsqueeze(-1))
            .to(dtype ?? x.dtype)
            .MoveToOuterDisposeScope();
    }
}
