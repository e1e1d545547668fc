using Diffusion.Runtime;
using Diffusion.Settings;
using Diffusion.Synthesis.GenDeg;
using Diffusion.Synthesis.Rendering;
using Diffusion.Synthesis.Small;

namespace Diffusion.Synthesis.DataSets;

/// <summary>The generators by name.</summary>
public static class Generators
{
    /// <summary>The renderers.</summary>
    public const string Rendered = "rendered";

    private static readonly string[] Names = [Rendered, SmallGenerator.ShippedName];

    /// <summary>Opens one.</summary>
    /// <param name="name">Its name, or the folder of a bundle: GenDeg's published files.</param>
    /// <param name="options">How one that computes networks is run; null: as usual.</param>
    /// <returns>The caller's.</returns>
    /// <exception cref="ArgumentException">There is none of that name, or a setting that it does not have.</exception>
    /// <exception cref="CheckpointException">A part of the bundle is missing or of another family.</exception>
    public static IDegradationGenerator Open(string name, GeneratorOptions? options = null)
    {
        options ??= new GeneratorOptions();
        if (Directory.Exists(name))
            return SmallGenerator.IsIn(name)
                ? SmallGenerator.Open(name, Settings<SmallSettings>("The small generator", options.Set), options.Policy?.Invoke())
                : new GenDegGenerator(name, Settings<GenDegSettings>("GenDeg", options.Set), options.Policy?.Invoke(), options.Memory);
        return name.ToLowerInvariant() switch
        {
            SmallGenerator.ShippedName => SmallGenerator.Shipped(
                Settings<SmallSettings>("The small generator", options.Set),
                options.Policy?.Invoke()
            ),
            Rendered when options.Set.Count > 0 => throw new ArgumentException(
                $"The generator {name} has no setting \"{options.Set.Keys.First()}\"; it has none."
            ),
            Rendered => new RenderedGenerator(),
            _ => throw new ArgumentException(
                $"There is no generator \"{name}\", and no folder of a bundle. {NearestName.Advice(name, Names)}"
            ),
        };
    }

    private static TSettings Settings<TSettings>(string generator, IReadOnlyDictionary<string, string> set)
        where TSettings : class, new()
    {
        TSettings settings = new();
        IReadOnlyList<Setting> all = Setting.Of(typeof(TSettings));
        foreach ((string name, string value) in set)
            (
                all.FirstOrDefault(setting => setting.IsNamed(name))
                ?? throw new ArgumentException(
                    $"{generator} has no setting \"{name}\". {NearestName.Advice(name, [.. all.Select(setting => setting.Name)])}"
                )
            ).Assign(settings, value);
        return settings;
    }
}

/// <summary>How a generator that computes networks is run.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Values by the name or symbol of a setting.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>How it computes, asked for when it is needed; null: as suits the machine.</summary>
    public Func<ComputePolicy>? Policy { get; init; }

    /// <summary>Bytes that the process may take; null: what is free.</summary>
    public long? Memory { get; init; }
}
