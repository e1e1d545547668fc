using System.Text.Json.Nodes;
using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Autoencoders of Stable Diffusion. Recognised, not built.</summary>
[Network("sd-vae")]
public sealed class SdVaeFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Description => "a Stable Diffusion autoencoder";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["decoder.conv_in.weight"];

    /// <inheritdoc/>
    public override JsonObject? Recognize(ShapeTable shapes) =>
        shapes.Has("encoder.conv_in.weight") && shapes.Has("post_quant_conv.weight") ? [] : null;
}
