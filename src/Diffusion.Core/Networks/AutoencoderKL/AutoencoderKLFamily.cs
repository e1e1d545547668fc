using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Autoencoders of Stable Diffusion, with diffusers' (old and new) or CompVis' names.</summary>
[Network("sd-vae")]
public sealed class AutoencoderKLFamily : NetworkFamily<AutoencoderKLConfig>
{
    /// <inheritdoc/>
    public override string Description => "a Stable Diffusion autoencoder";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["decoder.conv_in.weight"];

    /// <inheritdoc/>
    public override ConfigKeys<AutoencoderKLConfig> Keys => AutoencoderKLConfig.Keys;

    /// <inheritdoc/>
    public override ICheckpoint Named(ICheckpoint weights) =>
        CompVisAutoencoderNames.Are([.. weights.Tensors.Keys])
            ? new RenamedCheckpoint(weights, CompVisAutoencoderNames.ToDiffusers([.. weights.Tensors.Keys]))
            : weights;

    /// <inheritdoc/>
    protected override AutoencoderKLConfig? ByShapes(ShapeTable shapes)
    {
        if (CompVisAutoencoderNames.Are(shapes.Names))
            shapes = shapes.Renamed(CompVisAutoencoderNames.ToDiffusers(shapes.Names));
        int?[] widths =
        [
            .. Enumerable
                .Range(0, shapes.Count("encoder.down_blocks"))
                .Select(level => shapes.Size($"encoder.down_blocks.{level}.resnets.0.conv1.weight", 0)),
        ];
        return
            widths.Length > 0
            && widths.All(width => width is not null)
            && shapes.Size("encoder.conv_in.weight", 1) is { } inputs
            && shapes.Size("decoder.conv_out.weight", 0) is { } outputs
            && shapes.Size("post_quant_conv.weight", 0) is { } latent
            ? new AutoencoderKLConfig
            {
                InChannels = inputs,
                OutChannels = outputs,
                LatentChannels = latent,
                BlockOutChannels = [.. widths.Select(width => width!.Value)],
                LayersPerBlock = shapes.Count("encoder.down_blocks.0.resnets"),
            }
            : null;
    }

    /// <inheritdoc/>
    protected override Network Create(AutoencoderKLConfig config, ComputePolicy? policy) => new AutoencoderKL(config, policy);
}
