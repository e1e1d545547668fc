using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>UNets of openai/guided-diffusion.</summary>
[Network(Name)]
public sealed class AdmUNetFamily : NetworkFamily<AdmUNetConfig>
{
    /// <summary>The family's name.</summary>
    public const string Name = "adm-unet";

    /// <inheritdoc/>
    public override string Description => "an ADM UNet (guided-diffusion)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["input_blocks.0.0.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.Epsilon;

    /// <inheritdoc/>
    public override ConfigKeys<AdmUNetConfig> Keys => AdmUNetConfig.Keys;

    /// <inheritdoc/>
    protected override AdmUNetConfig? ByShapes(ShapeTable shapes) =>
        shapes.Rank("middle_block.1.qkv.weight") == 4 ? null : AdmUNetShapes.Read(shapes);

    /// <inheritdoc/>
    protected override (AdmUNetConfig Config, string? Assumed) Complete(AdmUNetConfig shown)
    {
        (AdmUNetConfig config, string heads) = AdmUNetShapes.WithUsualHeads(shown);
        return (config, $"{heads}, the usual attention order, epsilon and the linear schedule of 1000 steps");
    }

    /// <inheritdoc/>
    protected override Network Create(AdmUNetConfig config, ComputePolicy? policy) => new AdmUNet(config, policy);
}
