using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Text encoders with the names of OpenAI's CLIP and of OpenCLIP: those of Stable Diffusion 2.x files.</summary>
[Network("openclip-text")]
public sealed class OpenClipTextFamily : NetworkFamily<ClipTextConfig>
{
    /// <inheritdoc/>
    public override string Description => "an OpenCLIP text encoder";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["transformer.resblocks.0.attn.in_proj_weight"];

    /// <inheritdoc/>
    public override ConfigKeys<ClipTextConfig> Keys => ClipTextConfig.Keys;

    /// <inheritdoc/>
    public override ICheckpoint Named(ICheckpoint weights) => OpenClipNames.Renamed(weights);

    /// <inheritdoc/>
    protected override ClipTextConfig? ByShapes(ShapeTable shapes) =>
        shapes.Size("token_embedding.weight", 0) is { } words
        && shapes.Size("positional_embedding", 0) is { } positions
        && shapes.Size("transformer.resblocks.0.mlp.c_fc.weight", 0) is { } inner
        && shapes.Size("transformer.resblocks.0.mlp.c_fc.weight", 1) is { } width
            ? new ClipTextConfig
            {
                HiddenSize = width,
                IntermediateSize = inner,
                Layers = shapes.Count("transformer.resblocks"),
                VocabularySize = words,
                Positions = positions,
                ProjectionSize = shapes.Size("text_projection", 1),
            }
            : null;

    /// <inheritdoc/>
    protected override (ClipTextConfig Config, string? Assumed) Complete(ClipTextConfig shown) => ClipTextFamily.Usual(shown);

    /// <inheritdoc/>
    protected override Network Create(ClipTextConfig config, ComputePolicy? policy) => new ClipTextEncoder(config, policy);
}
