using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>
/// GenDeg's file: Stable Diffusion with eight input channels, CLIP's text encoder, and two layers that tell it how strong a degradation is.
/// A whole of several networks, which the generator takes apart.
/// </summary>
[Network("gendeg")]
public sealed class GenDegFamily : NetworkFamily
{
    private const string FirstConvolution = "model.diffusion_model.input_blocks.0.0.weight",
        Bins = "stats_proj.weight",
        Context = "cc_projection.weight";

    /// <inheritdoc/>
    public override string Description => "a GenDeg degradation synthesiser";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => [Context];

    /// <inheritdoc/>
    public override int Precedence => 3;

    /// <summary>The names of <see cref="GenDegContext"/>'s weights in the file.</summary>
    public static bool IsOfContext(string name) =>
        name.StartsWith("stats_proj.", StringComparison.Ordinal) || name.StartsWith("cc_projection.", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        shapes.Size(Bins, 1) is { } rows && shapes.Size(Context, 0) is { } context && shapes.Size(FirstConvolution, 1) is { } inputs
            ? new JsonObject
            {
                ["in_channels"] = inputs,
                ["context_dim"] = context,
                ["bins"] = rows - 1,
            }
            : null;
}
