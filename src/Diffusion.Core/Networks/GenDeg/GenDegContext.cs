using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// What GenDeg's UNet is told beside the clean picture: a text and an intensity (Rajagopalan et al., "GenDeg: Diffusion-based Degradation
/// Synthesis for Generalizable All-In-One Image Restoration", CVPR 2025).
/// </summary>
/// <remarks>
/// The two one-hot vectors of mu and sigma each become a number for every token (<c>stats_proj</c>), which are set behind the token's own
/// ones and mixed with them (<c>cc_projection</c>). Always float32.
/// </remarks>
public sealed class GenDegContext : Network
{
    private const int Intensities = 2;
    private readonly Linear _statistics,
        _mixture;

    /// <summary>Declares both layers.</summary>
    /// <exception cref="ArgumentException">A size is not positive.</exception>
    public GenDegContext(GenDegContextConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        if (config.Bins < 1 || config.Tokens < 1 || config.TextSize < 1 || config.ContextSize < 1)
            throw new ArgumentException("The sizes of GenDeg's context must be positive.");
        Config = config;
        _statistics = new Linear(this, "stats_proj", config.Bins + 1, config.Tokens, keepFloat32: true);
        _mixture = new Linear(this, "cc_projection", config.TextSize + Intensities, config.ContextSize, keepFloat32: true);
    }

    /// <summary>The sizes.</summary>
    public GenDegContextConfig Config { get; }

    /// <summary>Computes the context.</summary>
    /// <param name="text">[N,tokens,text] float32, borrowed.</param>
    /// <param name="intensity">[N,2,bins + 1] one-hot vectors of mu and sigma, borrowed; see <see cref="IntensityBins"/>.</param>
    /// <param name="trace">Told <c>stats_proj</c>; costs nothing when null.</param>
    /// <returns>[N,tokens,context] float32; the caller owns it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Forward(Tensor text, Tensor intensity, ModuleTrace? trace = null)
    {
        if (
            text.dim() != 3
            || text.shape[1] != Config.Tokens
            || text.shape[2] != Config.TextSize
            || !intensity.shape.SequenceEqual([text.shape[0], Intensities, Config.Bins + 1])
        )
            throw new ArgumentException(
                $"The context takes texts [N,{Config.Tokens},{Config.TextSize}] and intensities [N,2,{Config.Bins + 1}], not "
                    + $"[{string.Join(",", text.shape)}] and [{string.Join(",", intensity.shape)}]."
            );
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor numbers = _statistics.Forward(intensity);
        trace?.Invoke("stats_proj", numbers);
        return _mixture.Forward(torch.cat([text, numbers.transpose(1, 2)], dim: 2)).MoveToOuterDisposeScope();
    }
}

/// <summary>Sizes of <see cref="GenDegContext"/>.</summary>
/// <param name="Bins">Bins of an intensity, without the one that says nothing.</param>
/// <param name="Tokens">Tokens of a text.</param>
/// <param name="TextSize">Width of a token.</param>
/// <param name="ContextSize">Width of the UNet's context.</param>
public sealed record GenDegContextConfig(int Bins = 128, int Tokens = 77, int TextSize = 768, int ContextSize = 768);
