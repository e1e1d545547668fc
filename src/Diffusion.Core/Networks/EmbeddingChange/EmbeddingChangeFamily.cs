using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>The embedding change of OSDFace (<c>embedding_change_weights.pth</c>).</summary>
[Network("embedding-change")]
public sealed class EmbeddingChangeFamily : NetworkFamily<EmbeddingChangeConfig>
{
    /// <inheritdoc/>
    public override string Description => "the embedding change of OSDFace";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["conv2.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<EmbeddingChangeConfig> Keys => EmbeddingChangeConfig.Keys;

    /// <inheritdoc/>
    protected override EmbeddingChangeConfig? ByShapes(ShapeTable shapes) =>
        shapes.Names.Count == 4
        && shapes.Rank("conv1.weight") == 3
        && shapes.Size("conv1.weight", 0) is { } hidden
        && shapes.Size("conv1.weight", 1) is { } inputs
        && shapes.Size("conv2.weight", 0) is { } outputs
            ? new(inputs, hidden, outputs)
            : null;

    /// <inheritdoc/>
    protected override Network Create(EmbeddingChangeConfig config, ComputePolicy? policy) => new EmbeddingChange(config, policy);
}
