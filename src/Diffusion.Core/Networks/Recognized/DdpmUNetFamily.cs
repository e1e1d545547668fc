using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>UNets of the code of Ho et al. (2020). Recognised, not built.</summary>
[Network("ddpm-unet")]
public sealed class DdpmUNetFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a DDPM UNet of the original code, for which there is no network here";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["temb.dense.0.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.Has("conv_in.weight") ? [] : null;
}
