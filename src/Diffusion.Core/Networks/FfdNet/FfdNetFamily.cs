using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>FFDNet of cszn/KAIR.</summary>
[Network("ffdnet")]
public sealed class FfdNetFamily : NetworkFamily<FfdNetConfig>
{
    /// <inheritdoc/>
    public override string Description => "an FFDNet denoiser";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["model.0.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.X0;

    /// <inheritdoc/>
    public override ConfigKeys<FfdNetConfig> Keys => FfdNetConfig.Keys;

    /// <inheritdoc/>
    protected override FfdNetConfig? ByShapes(ShapeTable shapes) =>
        StackShapes.Read(shapes) is { Numbering: StackNumbering.Plain } stack && stack.Outputs % 4 == 0 && stack.Inputs == stack.Outputs + 1
            ? new FfdNetConfig(stack.Outputs / 4, stack.Width, stack.Count)
            : null;

    /// <inheritdoc/>
    protected override Network Create(FfdNetConfig config, ComputePolicy? policy) => new FfdNet(config, policy);
}
