using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>One-step restorers of faces as they are trained here.</summary>
[Network(Name)]
public sealed class FaceUNetFamily : NetworkFamily<FaceUNetConfig>
{
    /// <summary>The family's name in cards.</summary>
    public const string Name = "face-unet";

    /// <inheritdoc/>
    public override string Description => "a one-step face restorer trained here";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["unet.conv_in.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<FaceUNetConfig> Keys => FaceUNetConfig.Keys;

    /// <inheritdoc/>
    protected override FaceUNetConfig? ByShapes(ShapeTable shapes)
    {
        int levels = shapes.Count("unet.down"),
            tokenLevels = shapes.Count("embedder.encoder.down");
        int?[] widths = [.. Enumerable.Range(0, levels).Select(level => shapes.Size($"unet.down.{level}.block.conv1.weight", 0))],
            tokens =
            [.. Enumerable.Range(0, tokenLevels).Select(level => shapes.Size($"embedder.encoder.down.{level}.block.0.conv1.weight", 0))];
        int attentive = Enumerable.Range(0, levels).Count(level => shapes.Has($"unet.down.{level}.places"));
        if (
            levels == 0
            || tokenLevels == 0
            || attentive == 0
            || widths.Concat(tokens).Any(width => width is null)
            || shapes.Size("unet.conv_in.weight", 1) is not { } pixels
            || shapes.Size($"unet.down.{levels - 1}.places", 2) is not { } coarsest
            || shapes.Size("embedder.codes.weight", 0) is not { } codes
            || shapes.Size("embedder.codes.weight", 1) is not { } codeWidth
            || shapes.Size("change.conv1.weight", 0) is not { } context
            || shapes.Size("change.places", 1) is not { } places
        )
            return null;
        int patch = (int)Math.Sqrt(pixels / 3),
            side = coarsest * patch << (levels - 1);
        return new FaceUNetConfig
        {
            Side = side,
            Glance = Math.Max(1, side / ((int)Math.Sqrt(places) << (tokenLevels - 1))),
            Patch = patch,
            Widths = [.. widths.Select(width => width!.Value)],
            AttentiveLevels = attentive,
            TokenWidths = [.. tokens.Select(width => width!.Value)],
            Codes = codes,
            CodeWidth = codeWidth,
            Context = context,
            PlacedTokens = shapes.Has("unet.mid.attn.placed.weight"),
        };
    }

    /// <inheritdoc/>
    protected override Network Create(FaceUNetConfig config, ComputePolicy? policy) => new FaceUNet(config, policy);
}
