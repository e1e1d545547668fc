using Diffusion.Checkpoints;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>Networks that people trained with lucidrains/denoising-diffusion-pytorch.</summary>
[Network("lucidrains-unet")]
public sealed class LucidrainsUNetFamily : NetworkFamily<LucidrainsUNetConfig>
{
    private const int UsualSteps = 1000;

    /// <inheritdoc/>
    public override string Description => "a Unet of denoising_diffusion_pytorch";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["init_conv.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Sampling.Prediction.V;

    /// <inheritdoc/>
    public override ConfigKeys<LucidrainsUNetConfig> Keys => LucidrainsUNetConfig.Keys;

    /// <inheritdoc/>
    public override NetworkFacts Describe(ICheckpoint file, RecognizedNetwork found)
    {
        LucidrainsUNetConfig config = Keys.Read(found.Config);
        LucidrainsVersion? own = VersionIn(file, config.Version);
        config = config with { Version = own ?? config.Version };
        LucidrainsTables? tables = LucidrainsTables.Beside(file, found.Prefix);
        Prediction usual = config.Version.PredictsV ? Sampling.Prediction.V : Sampling.Prediction.Epsilon;
        List<string> assumed = [];
        if (own is null && config.Version.IsAmbiguous)
            assumed.Add($"version {config.Version.Name}");
        if (!config.Version.Memory)
            assumed.Add($"{config.Heads[0]} heads");
        if (!config.Version.RootMeanSquareBlocks)
            assumed.Add($"{config.Groups} groups");
        if (tables is null)
            assumed.Add($"the {(config.Version.SigmoidSchedule ? "sigmoid" : "cosine")} schedule of {UsualSteps} steps");
        if (tables?.Prediction is null)
            assumed.Add($"the objective {Predictions.Name(usual)}");
        assumed.Add("pictures on [-1,1]");
        return new NetworkFacts(Keys.Write(config))
        {
            Prediction = tables?.Prediction ?? usual,
            Schedule = tables?.Schedule
                ?? (config.Version.SigmoidSchedule ? NoiseSchedule.Sigmoid(UsualSteps) : NoiseSchedule.Cosine(UsualSteps)),
            Told = tables switch
            {
                null => null,
                { Prediction: { } known } => $"tables beside it say {Predictions.Name(known)} and {tables.Schedule.Steps} steps",
                _ => $"tables beside it say {tables.Schedule.Steps} steps",
            },
            Assumed = string.Join(" and ", new[] { string.Join(", ", assumed.SkipLast(1)), assumed[^1] }.Where(part => part.Length > 0)),
        };
    }

    /// <inheritdoc/>
    protected override LucidrainsUNetConfig? ByShapes(ShapeTable shapes) => LucidrainsUNetShapes.Read(shapes);

    /// <inheritdoc/>
    protected override Network Create(LucidrainsUNetConfig config, ComputePolicy? policy) => new LucidrainsUNet(config, policy);

    /// <summary>The version that the file says, where names do not contradict it.</summary>
    private static LucidrainsVersion? VersionIn(ICheckpoint file, LucidrainsVersion shown)
    {
        LucidrainsVersion? own = LucidrainsVersion.Read(file.Metadata.GetValueOrDefault("version"));
        return
            own is not null
            && (own.RootMeanSquareBlocks, own.Memory, own.PlainNames, own.Strided)
                == (shown.RootMeanSquareBlocks, shown.Memory, shown.PlainNames, shown.Strided)
            ? own
            : null;
    }
}
