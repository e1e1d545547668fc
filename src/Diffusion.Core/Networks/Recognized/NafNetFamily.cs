using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>NAFNets. Recognised, not built.</summary>
[Network("nafnet")]
public sealed class NafNetFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a NAFNet";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["intro.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.Has("ending.weight") && shapes.Has("encoders.0.0.beta") ? [] : null;
}
