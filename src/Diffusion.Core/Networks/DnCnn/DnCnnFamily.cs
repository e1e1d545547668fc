using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>DnCNN and FDnCNN of cszn/KAIR.</summary>
[Network("dncnn")]
public sealed class DnCnnFamily : NetworkFamily<DnCnnConfig>
{
    /// <inheritdoc/>
    public override string Description => "a DnCNN or FDnCNN denoiser";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["model.0.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.X0;

    /// <inheritdoc/>
    public override ConfigKeys<DnCnnConfig> Keys => DnCnnConfig.Keys;

    /// <inheritdoc/>
    protected override DnCnnConfig? ByShapes(ShapeTable shapes) =>
        StackShapes.Read(shapes) is { Count: >= 3 } stack && stack.Inputs - stack.Outputs is 0 or 1 && !IsUnshuffled(stack)
            ? new DnCnnConfig(stack.Inputs, stack.Outputs, stack.Width, stack.Count, stack.Numbering)
            : null;

    /// <inheritdoc/>
    protected override (DnCnnConfig Config, string? Assumed) Complete(DnCnnConfig shown) =>
        (shown, shown.SeesNoiseLevel ? "noise levels of 0 to 75 of 255" : "a blind denoiser and noise levels of 0 to 55 of 255");

    /// <inheritdoc/>
    protected override Network Create(DnCnnConfig config, ComputePolicy? policy) => new DnCnn(config, policy);

    // Four values a pixel of the halved picture and one noise level: FFDNet.
    private static bool IsUnshuffled(StackShapes stack) => stack.Outputs % 4 == 0 && stack.Inputs == stack.Outputs + 1;
}
