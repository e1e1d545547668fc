using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>UNets of openai/consistency_models: ADM UNets but for the shape of their attention's weights.</summary>
[Network(Name)]
public sealed class ConsistencyUNetFamily : NetworkFamily<AdmUNetConfig>
{
    /// <summary>The family's name.</summary>
    public const string Name = "consistency-unet";

    /// <inheritdoc/>
    public override string Description => "a consistency UNet (consistency_models)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["input_blocks.0.0.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.Consistency;

    /// <inheritdoc/>
    public override ConfigKeys<AdmUNetConfig> Keys => AdmUNetConfig.Keys;

    /// <inheritdoc/>
    protected override AdmUNetConfig? ByShapes(ShapeTable shapes) =>
        shapes.Rank("middle_block.1.qkv.weight") == 4 ? AdmUNetShapes.Read(shapes) : null;

    /// <inheritdoc/>
    protected override (AdmUNetConfig Config, string? Assumed) Complete(AdmUNetConfig shown)
    {
        (AdmUNetConfig config, string heads) = AdmUNetShapes.WithUsualHeads(shown);
        return (config, $"{heads} and a consistency model, not an EDM denoiser");
    }

    /// <inheritdoc/>
    protected override Network Create(AdmUNetConfig config, ComputePolicy? policy) => new ConsistencyUNet(config, policy);
}
