using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Generators of degradations as they are trained here.</summary>
[Network(Name)]
public sealed class DegradationUNetFamily : NetworkFamily<DegradationUNetConfig>
{
    /// <summary>The family's name in cards.</summary>
    public const string Name = "degradation-unet";

    /// <inheritdoc/>
    public override string Description => "a generator of degradations trained here";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["told.kinds.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<DegradationUNetConfig> Keys => DegradationUNetConfig.Keys;

    /// <inheritdoc/>
    protected override DegradationUNetConfig? ByShapes(ShapeTable shapes)
    {
        int?[] widths = [.. Enumerable.Range(0, shapes.Count("down")).Select(level => shapes.Size($"down.{level}.block.conv1.weight", 0))];
        return
            widths.Length > 0
            && !widths.Contains(null)
            && shapes.Size("conv_out.weight", 0) is { } pixels
            && shapes.Size("told.kinds.weight", 0) is { } kinds
            && shapes.Size("told.kinds.weight", 1) is { } embedding
            ? new DegradationUNetConfig
            {
                Patch = (int)Math.Sqrt(pixels / 3),
                Widths = [.. widths.Select(width => width!.Value)],
                Embedding = embedding,
                Kinds = kinds - 1,
            }
            : null;
    }

    /// <inheritdoc/>
    protected override Network Create(DegradationUNetConfig config, ComputePolicy? policy) => new DegradationUNet(config, policy);
}
