using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Text encoders of OpenCLIP. Recognised, not built.</summary>
[Network("openclip-text")]
public sealed class OpenClipTextFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "an OpenCLIP text encoder";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["transformer.resblocks.0.attn.in_proj_weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.Has("token_embedding.weight") ? [] : null;
}
