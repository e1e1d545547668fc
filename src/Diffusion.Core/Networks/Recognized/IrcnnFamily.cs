using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>IRCNN: 25 denoisers by noise level in one file. Recognised, not built.</summary>
[Network("ircnn")]
public sealed class IrcnnFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "IRCNN, 25 denoisers by noise level, for which there is no network here";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["0.model.0.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        shapes.Size("0.model.0.weight", 1) is { } channels && shapes.HasAny("24.") ? new JsonObject { ["channels"] = channels } : null;
}
