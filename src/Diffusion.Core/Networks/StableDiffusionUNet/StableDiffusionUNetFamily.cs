using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>UNets of Stable Diffusion 1.x and 2.x, with diffusers' or CompVis' names.</summary>
[Network("sd-unet")]
public sealed class StableDiffusionUNetFamily : NetworkFamily<StableDiffusionUNetConfig>
{
    private const string CrossKey = "transformer_blocks.0.attn2.to_k.weight";

    /// <inheritdoc/>
    public override string Description => "a Stable Diffusion UNet";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => [$"input_blocks.1.1.{CrossKey}", $"down_blocks.0.attentions.0.{CrossKey}"];

    /// <inheritdoc/>
    public override int Precedence => 1;

    /// <inheritdoc/>
    public override ConfigKeys<StableDiffusionUNetConfig> Keys => StableDiffusionUNetConfig.Keys;

    /// <inheritdoc/>
    public override ICheckpoint Named(ICheckpoint weights) =>
        CompVisUNetNames.Are([.. weights.Tensors.Keys])
            ? new RenamedCheckpoint(weights, CompVisUNetNames.ToDiffusers([.. weights.Tensors.Keys]))
            : weights;

    /// <inheritdoc/>
    protected override StableDiffusionUNetConfig? ByShapes(ShapeTable shapes)
    {
        if (CompVisUNetNames.Are(shapes.Names))
            shapes = shapes.Renamed(CompVisUNetNames.ToDiffusers(shapes.Names));
        int levels = shapes.Count("down_blocks"),
            layers = shapes.Count("down_blocks.0.resnets");
        int?[] widths = [.. Enumerable.Range(0, levels).Select(level => shapes.Size($"down_blocks.{level}.resnets.0.conv1.weight", 0))];
        if (
            layers == 0
            || widths.Any(width => width is null)
            || shapes.Size("conv_in.weight", 1) is not { } inputs
            || shapes.Size("conv_out.weight", 0) is not { } outputs
            || shapes.Size($"mid_block.attentions.0.{CrossKey}", 1) is not { } context
        )
            return null;
        return new StableDiffusionUNetConfig
        {
            InChannels = inputs,
            OutChannels = outputs,
            BlockOutChannels = [.. widths.Select(width => width!.Value)],
            LayersPerBlock = layers,
            DownBlockTypes = StableDiffusionUNetConfig.DownTypes(Attending("down_blocks")),
            UpBlockTypes = StableDiffusionUNetConfig.UpTypes(Attending("up_blocks")),
            CrossAttentionDim = context,
            TransformerLayers = shapes.Count("mid_block.attentions.0.transformer_blocks"),
            UseLinearProjection = shapes.Rank("mid_block.attentions.0.proj_in.weight") == 2,
        };

        IEnumerable<bool> Attending(string blocks) =>
            Enumerable.Range(0, levels).Select(level => shapes.HasAny($"{blocks}.{level}.attentions."));
    }

    /// <summary>2.x has heads of 64 channels, 1.x eight heads everywhere.</summary>
    protected override (StableDiffusionUNetConfig Config, string? Assumed) Complete(StableDiffusionUNetConfig shown) =>
        shown.UseLinearProjection && shown.BlockOutChannels.All(width => width % 64 == 0)
            ? (shown with { Heads = [.. shown.BlockOutChannels.Select(width => width / 64)] }, "attention heads of 64 channels")
            : (shown, "8 attention heads");

    /// <inheritdoc/>
    protected override Network Create(StableDiffusionUNetConfig config, ComputePolicy? policy) => new StableDiffusionUNet(config, policy);
}
