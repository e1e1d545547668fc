using System.Text.RegularExpressions;
using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>NAFNets of megvii-research, of DCPT and of GenDeg's structure correction.</summary>
[Network("nafnet")]
public sealed partial class NafNetFamily : NetworkFamily<NafNetConfig>
{
    /// <inheritdoc/>
    public override string Description => "a NAFNet";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["intro.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<NafNetConfig> Keys => NafNetConfig.Keys;

    /// <inheritdoc/>
    public override ICheckpoint Named(ICheckpoint weights) => new RenamedCheckpoint(weights, Names(weights.Tensors.Keys));

    /// <inheritdoc/>
    protected override NafNetConfig? ByShapes(ShapeTable shapes)
    {
        bool dcpt = shapes.HasAny("decoder0.");
        shapes = shapes.Renamed(Names(shapes.Names));
        int levels = shapes.Count("downs");
        return
            levels > 0
            && shapes.Size("intro.weight", 0) is { } width
            && shapes.Size("intro.weight", 1) is { } inputs
            && shapes.Size("ending.weight", 0) is { } outputs
            && shapes.Rank("encoders.0.0.beta") == 4
            && shapes.Has("ups.0.0.weight")
            ? new NafNetConfig
            {
                InChannels = inputs,
                OutChannels = outputs,
                Width = width,
                EncoderBlocks = [.. Enumerable.Range(0, levels).Select(level => shapes.Count($"encoders.{level}"))],
                MiddleBlocks = shapes.Count("middle_blks"),
                DecoderBlocks = [.. Enumerable.Range(0, levels).Select(level => shapes.Count($"decoders.{level}"))],
                IsDcpt = dcpt,
            }
            : null;
    }

    /// <summary>DCPT's test code mirrors pictures up to multiples of 16.</summary>
    protected override (NafNetConfig Config, string? Assumed) Complete(NafNetConfig shown) =>
        shown.IsDcpt
            ? (shown with { PadTo = Math.Max(16, 1 << shown.Levels) }, null)
            : (shown, "attention over the whole picture (no train_size)");

    /// <inheritdoc/>
    protected override Network Create(NafNetConfig config, ComputePolicy? policy) => new NafNet(config, policy);

    private static Dictionary<string, string> Names(IEnumerable<string> names) =>
        names.ToDictionary(name => name, name => DcptDecoder().Replace(name, "decoders.$1."));

    [GeneratedRegex(@"^decoder(\d{1,3})\.")]
    private static partial Regex DcptDecoder();
}
