using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Files that hold nothing but LoRA updates of some network.</summary>
[Network("lora")]
public sealed class LoraFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "only LoRA updates, no whole network; they need the base model's file";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => [];

    /// <inheritdoc/>
    public override int Precedence => 3;

    /// <inheritdoc/>
    public override (JsonObject Config, string Prefix)? Find(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes) =>
        shapes.Count > 0 && shapes.Keys.All(name => name.Contains("lora", StringComparison.OrdinalIgnoreCase)) ? ([], "") : null;

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) => null;

    /// <summary>Updates of any network look alike: only a file's name tells them apart.</summary>
    public override bool HasLayout(JsonObject config, JsonObject shown) => false;
}
