using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>CLIP text encoders, with the names of Hugging Face. Recognised, not built.</summary>
[Network("clip-text")]
public sealed class ClipTextFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a CLIP text encoder (Hugging Face names)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["text_model.embeddings.token_embedding.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => [];
}
