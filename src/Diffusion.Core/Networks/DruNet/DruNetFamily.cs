using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>Denoisers of cszn/DPIR.</summary>
[Network("drunet")]
public sealed class DruNetFamily : NetworkFamily<DruNetConfig>
{
    /// <inheritdoc/>
    public override string Description => "a DRUNet denoiser";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["m_head.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.X0;

    /// <inheritdoc/>
    public override ConfigKeys<DruNetConfig> Keys => DruNetConfig.Keys;

    /// <inheritdoc/>
    protected override DruNetConfig? ByShapes(ShapeTable shapes)
    {
        // A sequence of one block loses its number in the published code.
        int blocks = shapes.Has("m_body.res.0.weight") ? 1 : shapes.Count("m_body");
        int?[] widths =
        [
            shapes.Size("m_head.weight", 0),
            .. Enumerable.Range(1, 3).Select(level => shapes.Size($"m_down{level}.{blocks}.weight", 0)),
        ];
        return
            blocks > 0
            && widths.All(width => width is not null)
            && shapes.Size("m_head.weight", 1) is { } inputs
            && shapes.Size("m_tail.weight", 0) is { } outputs
            && !shapes.Has("m_head.bias")
            ? new DruNetConfig([.. widths.Select(width => width!.Value)], blocks, inputs, outputs)
            : null;
    }

    /// <inheritdoc/>
    protected override Network Create(DruNetConfig config, ComputePolicy? policy) => new DruNet(config, policy);
}
