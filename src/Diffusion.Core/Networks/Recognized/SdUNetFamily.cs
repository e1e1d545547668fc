using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>UNets of Stable Diffusion, with CompVis or diffusers names. Recognised, not built.</summary>
[Network("sd-unet")]
public sealed class SdUNetFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a Stable Diffusion UNet";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks =>
        ["input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"];

    /// <inheritdoc/>
    public override int Precedence => 1;

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        (shapes.Size("input_blocks.0.0.weight", 1) ?? shapes.Size("conv_in.weight", 1)) is { } channels
            ? new JsonObject { ["in_channels"] = channels }
            : null;
}
