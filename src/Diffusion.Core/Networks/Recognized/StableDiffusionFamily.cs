using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Stable Diffusion in one file, with CompVis names. Recognised, not built.</summary>
[Network("stable-diffusion")]
public sealed class StableDiffusionFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a whole Stable Diffusion model in one file (CompVis names)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["model.diffusion_model.input_blocks.0.0.weight"];

    /// <inheritdoc/>
    public override int Precedence => 2;

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        !shapes.HasAny("first_stage_model.")
            ? null
            : new JsonObject
            {
                ["in_channels"] = shapes.Size("model.diffusion_model.input_blocks.0.0.weight", 1),
                ["context_dim"] = shapes.Size("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 1),
            };
}
