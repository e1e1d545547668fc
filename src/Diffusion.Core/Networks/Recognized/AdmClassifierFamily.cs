using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Classifiers of guided-diffusion. Recognised, not built.</summary>
[Network("adm-classifier")]
public sealed class AdmClassifierFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a classifier of guided-diffusion, which guides a model but restores nothing";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["input_blocks.0.0.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => shapes.HasAny("output_blocks.") ? null : [];
}
