using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>Unconditional networks of diffusers: <c>google/ddpm-*</c> and what its training example writes.</summary>
[Network("unet2d")]
public sealed class UNet2DFamily : NetworkFamily<UNet2DConfig>
{
    /// <inheritdoc/>
    public override string Description => "a UNet2DModel (diffusers)";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["time_embedding.linear_1.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.Epsilon;

    /// <inheritdoc/>
    public override ConfigKeys<UNet2DConfig> Keys => UNet2DConfig.Keys;

    /// <inheritdoc/>
    public override NetworkFacts Describe(ICheckpoint file, RecognizedNetwork found)
    {
        DiffusersFiles beside = new(file.Path);
        JsonObject? own = beside.Network();
        (NoiseSchedule Schedule, Prediction Prediction)? trained = beside.Scheduler();
        if (own is null)
            return base.Describe(file, found) is var facts && trained is null
                ? facts
                : facts with
                {
                    Schedule = trained?.Schedule,
                    Prediction = trained?.Prediction,
                };
        own["attention_names"] = found.Config["attention_names"]?.DeepClone();
        return new NetworkFacts(beside.Guarded("config.json", () => Keys.Write(Keys.Read(own))))
        {
            Schedule = trained?.Schedule,
            Prediction = trained?.Prediction,
            Told = trained is null ? "config.json says how it is built" : "config.json and scheduler_config.json say how it is run",
            Assumed = trained is null ? "epsilon and the linear schedule of 1000 steps" : null,
        };
    }

    /// <inheritdoc/>
    protected override UNet2DConfig? ByShapes(ShapeTable shapes)
    {
        // Networks that see a text have transformers in the places of attention.
        if (
            !shapes.Has("conv_norm_out.weight") || shapes.Names.Any(name => name.Contains(".transformer_blocks.", StringComparison.Ordinal))
        )
            return null;
        int levels = shapes.Count("down_blocks");
        int?[] widths = [.. Level().Select(level => shapes.Size($"down_blocks.{level}.resnets.0.conv1.weight", 0))];
        if (
            levels == 0
            || widths.Contains(null)
            || shapes.Size("conv_in.weight", 1) is not { } inputs
            || shapes.Size("conv_out.weight", 0) is not { } outputs
        )
            return null;
        return new UNet2DConfig
        {
            InChannels = inputs,
            OutChannels = outputs,
            BlockOutChannels = [.. widths.Select(width => width!.Value)],
            LayersPerBlock = shapes.Count("down_blocks.0.resnets"),
            DownAttention = [.. Level().Select(level => shapes.HasAny($"down_blocks.{level}.attentions."))],
            UpAttention = [.. Level().Select(level => shapes.HasAny($"up_blocks.{level}.attentions."))],
            MiddleAttention = shapes.HasAny("mid_block.attentions."),
            EarlyNames = shapes.Names.Any(name => name.EndsWith(".query.weight", StringComparison.Ordinal)),
            NormGroups = new[] { 32, 16, 8, 4, 2, 1 }.First(groups => widths.All(width => width % groups == 0)),
        };

        IEnumerable<int> Level() => Enumerable.Range(0, levels);
    }

    /// <summary>Files of 2022, when attention had other names, are those of Ho et al.; later ones those of the training example.</summary>
    protected override (UNet2DConfig Config, string? Assumed) Complete(UNet2DConfig shown) =>
        shown.EarlyNames
            ? (
                shown with
                {
                    AttentionHeadDim = null,
                    DownsamplePadding = 0,
                    CosineFirst = false,
                    FrequencyShift = 1,
                    NormEpsilon = 1e-6,
                },
                "the settings of google's ddpm networks, epsilon and the linear schedule of 1000 steps"
            )
            : (
                shown with
                {
                    AttentionHeadDim = shown.BlockOutChannels.All(width => width >= 8) ? 8 : null,
                },
                "the settings of diffusers' training example, epsilon and the linear schedule of 1000 steps"
            );

    /// <inheritdoc/>
    protected override Network Create(UNet2DConfig config, ComputePolicy? policy) => new UNet2D(config, policy);
}
