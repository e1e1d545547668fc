using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>The embedding change of OSDFace. Recognised, not built.</summary>
[Network("embedding-change")]
public sealed class EmbeddingChangeFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "the embedding change of OSDFace";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["conv2.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.Names.Count == 4 && shapes.Rank("conv1.weight") == 3 ? [] : null;
}
