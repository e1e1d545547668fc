using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>The visual representation embedder of OSDFace, among the autoencoders of <c>associate_2.ckpt</c>.</summary>
[Network("vre")]
public sealed class VisualEmbedderFamily : NetworkFamily<VisualEmbedderConfig>
{
    private const string Own = "vqvae_LQ.";

    /// <inheritdoc/>
    public override string Description => "the visual representation embedder of OSDFace";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => [$"{Own}encoder.conv_in.weight"];

    /// <inheritdoc/>
    public override int Precedence => 2;

    /// <inheritdoc/>
    public override ConfigKeys<VisualEmbedderConfig> Keys => VisualEmbedderConfig.Keys;

    /// <summary>Without the decoder, the autoencoder of good pictures, and the second norms of attentions, which nothing reads.</summary>
    public override ICheckpoint Named(ICheckpoint weights) =>
        new CheckpointView(weights, Own, name =>
            (name.StartsWith("encoder.", StringComparison.Ordinal) && !(name.Contains("attn") && name.Contains(".norm2.")))
            || name.StartsWith("quant_conv.", StringComparison.Ordinal)
            || name == "quantize.embedding.weight"
        );

    /// <inheritdoc/>
    protected override VisualEmbedderConfig? ByShapes(ShapeTable shapes)
    {
        const string Encoder = $"{Own}encoder";
        int[] levels = [.. Enumerable.Range(0, shapes.Count($"{Encoder}.down"))];
        int?[] widths = [.. levels.Select(level => shapes.Size($"{Encoder}.down.{level}.block.0.conv1.weight", 0))];
        if (
            shapes.Size($"{Encoder}.conv_in.weight", 0) is not { } channels
            || widths.Length == 0
            || widths.Any(width => width is null || width % channels != 0)
            || shapes.Size($"{Encoder}.conv_out.weight", 0) is not { } latent
            || shapes.Size($"{Own}quantize.embedding.weight", 0) is not { } codes
            || shapes.Size($"{Own}quantize.embedding.weight", 1) is not { } width
        )
            return null;
        VisualEmbedderConfig usual = new();
        return usual with
        {
            InChannels = shapes.Size($"{Encoder}.conv_in.weight", 1) ?? usual.InChannels,
            Channels = channels,
            ChannelMult = [.. widths.Select(level => level!.Value / channels)],
            NumResBlocks = shapes.Count($"{Encoder}.down.0.block"),
            AttnResolutions =
            [
                .. levels.Where(level => shapes.HasAny($"{Encoder}.down.{level}.attn.")).Select(level => usual.Resolution >> level),
            ],
            ZChannels = latent,
            NumCodes = codes,
            EmbedDim = width,
        };
    }

    /// <inheritdoc/>
    protected override Network Create(VisualEmbedderConfig config, ComputePolicy? policy) => new VisualEmbedder(config, policy);
}
