using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>CLIP text encoders with the names of Hugging Face: those of Stable Diffusion's folders and of 1.x files.</summary>
[Network("clip-text")]
public sealed class ClipTextFamily : NetworkFamily<ClipTextConfig>
{
    // Of all published encoders.
    private const int HeadWidth = 64;

    /// <inheritdoc/>
    public override string Description => "a CLIP text encoder (Hugging Face names)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["text_model.embeddings.token_embedding.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<ClipTextConfig> Keys => ClipTextConfig.Keys;

    /// <summary>Files of before 2023 list the positions too, which are no weights.</summary>
    public override ICheckpoint Named(ICheckpoint weights) =>
        new CheckpointView(weights, "", name => !name.EndsWith("text_model.embeddings.position_ids", StringComparison.Ordinal));

    /// <inheritdoc/>
    protected override ClipTextConfig? ByShapes(ShapeTable shapes) =>
        shapes.Size("text_model.embeddings.token_embedding.weight", 0) is { } words
        && shapes.Size("text_model.embeddings.position_embedding.weight", 0) is { } positions
        && shapes.Size("text_model.encoder.layers.0.mlp.fc1.weight", 0) is { } inner
        && shapes.Size("text_model.encoder.layers.0.mlp.fc1.weight", 1) is { } width
            ? new ClipTextConfig
            {
                HiddenSize = width,
                IntermediateSize = inner,
                Layers = shapes.Count("text_model.encoder.layers"),
                VocabularySize = words,
                Positions = positions,
                ProjectionSize = shapes.Size("text_projection.weight", 0),
            }
            : null;

    /// <inheritdoc/>
    protected override (ClipTextConfig Config, string? Assumed) Complete(ClipTextConfig shown) => Usual(shown);

    /// <inheritdoc/>
    protected override Network Create(ClipTextConfig config, ComputePolicy? policy) => new ClipTextEncoder(config, policy);

    /// <summary>OpenAI's largest encoder is 768 wide; the wider ones are OpenCLIP's.</summary>
    internal static (ClipTextConfig Config, string? Assumed) Usual(ClipTextConfig shown)
    {
        ClipTextConfig config = shown with { Activation = shown.HiddenSize > 768 ? ClipTextConfig.Gelu : ClipTextConfig.QuickGelu };
        return shown.HiddenSize % HeadWidth == 0
            ? (config with { Heads = shown.HiddenSize / HeadWidth }, $"attention heads of {HeadWidth} channels and {config.Activation}")
            : (config with { Heads = 1 }, $"one attention head and {config.Activation}");
    }
}
