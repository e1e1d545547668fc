using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>A solver in the catalogue.</summary>
public sealed class SolverEntry
{
    // What presets are asked when nothing is known of the problem yet.
    private static readonly PresetRequest Unknown = new(
        new OperatorTraits(),
        0.02,
        new PriorInfo { Name = "", Kind = PriorKind.PosteriorMean }
    );

    internal SolverEntry(Type type, SolverAttribute attribute)
    {
        Type = type;
        Name = attribute.Name;
        About = attribute.About;
        Source = attribute.Source;
        Settings = Setting.Of(type);
        Presets = attribute.Presets is { } presets
            ? ((ISolverPresets)Activator.CreateInstance(presets)!).All
            : [new SolverPreset("default", "The settings' own defaults.", null, _ => (ISolver)Activator.CreateInstance(type)!)];
    }

    /// <summary>Name in commands.</summary>
    public string Name { get; }

    /// <summary>One sentence.</summary>
    public string About { get; }

    /// <summary>The paper.</summary>
    public string? Source { get; }

    /// <summary>The record.</summary>
    public Type Type { get; }

    /// <summary>The settings in the order of declaration.</summary>
    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>The presets, the default one first. A preset may make a solver of another entry; see <see cref="NameOf"/>.</summary>
    public IReadOnlyList<SolverPreset> Presets { get; }

    /// <summary>
    /// The name in commands of the algorithm that a solver is; of one without a <see cref="SolverAttribute"/> its type's.
    /// </summary>
    public static string NameOf(ISolver solver) => new SolverSettings(solver.GetType()).Solver;

    /// <summary>Finds a preset.</summary>
    /// <param name="name">The name; null for the default one.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public SolverPreset Preset(string? name) =>
        name is null
            ? Presets[0]
            : Presets.FirstOrDefault(preset => preset.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw new ArgumentException(
                    $"Solver {Name} has no preset \"{name}\". {NearestName.Advice(name, [.. Presets.Select(preset => preset.Name)])}"
                );

    /// <summary>Checks the names of a preset and of settings before the problem is known.</summary>
    /// <param name="preset">The preset; null for the default one.</param>
    /// <param name="settings">Names or symbols of settings.</param>
    /// <exception cref="ArgumentException">There is no such preset or setting.</exception>
    public void CheckNames(string? preset, IEnumerable<string> settings)
    {
        SolverSettings known = new(Preset(preset).Create(Unknown).GetType());
        foreach (string name in settings)
            known.Require(name);
    }

    /// <summary>A solver with the settings of a preset, some of them replaced, for a problem that is not known yet.</summary>
    /// <inheritdoc cref="Create(string?, PresetRequest, IReadOnlyDictionary{string, string}?)"/>
    public ISolver CreateBlind(string? preset, int? maxEvaluations, IReadOnlyDictionary<string, string>? set = null) =>
        Create(preset, Unknown with { MaxEvaluations = maxEvaluations }, set);

    /// <summary>A solver with the settings of a preset, some of them replaced.</summary>
    /// <param name="preset">The preset; null for the default one.</param>
    /// <param name="request">The problem that the preset looks at.</param>
    /// <param name="set">Values by the name or symbol of a setting.</param>
    /// <exception cref="ArgumentException">
    /// Unknown names, values that cannot be read or lie out of range, or settings that contradict each other.
    /// </exception>
    public ISolver Create(string? preset, PresetRequest request, IReadOnlyDictionary<string, string>? set = null)
    {
        if (request.MaxEvaluations is < 1)
            throw new ArgumentException($"The number of steps must be at least 1, not {request.MaxEvaluations}.");
        ISolver solver = Preset(preset).Create(request);
        SolverSettings settings = new(solver.GetType());
        foreach ((string name, string value) in set ?? new Dictionary<string, string>())
            settings.Set(solver, name, value);
        solver.Check();
        return solver;
    }
}
