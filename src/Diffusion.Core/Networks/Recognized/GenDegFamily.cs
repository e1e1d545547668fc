using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>GenDeg: Stable Diffusion that is told how strong a degradation to synthesise. Recognised, not built.</summary>
[Network("gendeg")]
public sealed class GenDegFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a GenDeg degradation synthesiser";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["cc_projection.weight"];

    /// <inheritdoc/>
    public override int Precedence => 3;

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        shapes.Has("stats_proj.weight") && shapes.Has("model.diffusion_model.input_blocks.0.0.weight") ? [] : null;
}
