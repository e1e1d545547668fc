using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>IRCNN of cszn/KAIR: 25 denoisers by noise level in one file, or one of them.</summary>
[Network("ircnn")]
public sealed class IrcnnFamily : NetworkFamily<IrcnnConfig>
{
    /// <inheritdoc/>
    public override string Description => "IRCNN, denoisers by noise level";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["0.model.0.weight", "model.0.weight"];

    /// <summary>A DnCNN of seven layers has the same names as one of the denoisers.</summary>
    public override int Precedence => 1;

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.X0;

    /// <inheritdoc/>
    public override ConfigKeys<IrcnnConfig> Keys => IrcnnConfig.Keys;

    /// <inheritdoc/>
    protected override IrcnnConfig? ByShapes(ShapeTable shapes)
    {
        int networks = Enumerable.Range(0, 256).TakeWhile(i => shapes.Has($"{i}.model.0.weight")).Count();
        StackShapes? stack = StackShapes.Read(networks == 0 ? shapes : shapes.Below("0."));
        return stack is { Numbering: StackNumbering.Plain } && stack.Count == Ircnn.Layers && stack.Inputs == stack.Outputs && networks != 1
            ? new IrcnnConfig(stack.Inputs, stack.Width, Math.Max(1, networks))
            : null;
    }

    /// <inheritdoc/>
    protected override (IrcnnConfig Config, string? Assumed) Complete(IrcnnConfig shown) =>
        (shown, shown.Networks > 1 ? null : "dilations of 1, 2, 3, 4, 3, 2, 1 and a noise level of at most 50 of 255");

    /// <inheritdoc/>
    protected override Network Create(IrcnnConfig config, ComputePolicy? policy) => new Ircnn(config, policy);
}
