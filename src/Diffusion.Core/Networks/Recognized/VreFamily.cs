using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>The visual representation embedder of OSDFace. Recognised, not built.</summary>
[Network("vre")]
public sealed class VreFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "the visual representation embedder of OSDFace";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["vqvae_LQ.encoder.conv_in.weight"];

    /// <inheritdoc/>
    public override int Precedence => 2;

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.Has("vqvae_LQ.quantize.embedding.weight") ? [] : null;
}
