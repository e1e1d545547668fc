using System.Reflection;
using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>A solver in the catalogue.</summary>
public sealed class SolverEntry
{
    internal SolverEntry(Type type, SolverAttribute attribute)
    {
        Type = type;
        Name = attribute.Name;
        About = attribute.About;
        Source = attribute.Source;
        ISolver defaults = (ISolver)Activator.CreateInstance(type)!;
        Settings =
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Select(property => (Property: property, Attribute: property.GetCustomAttribute<SettingAttribute>()))
                .Where(setting => setting.Attribute is not null)
                .Select(setting => new SolverSetting(setting.Property, setting.Attribute!, defaults)),
        ];
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
    public IReadOnlyList<SolverSetting> Settings { get; }

    /// <summary>The presets, the default one first.</summary>
    public IReadOnlyList<SolverPreset> Presets { get; }

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

    /// <summary>Finds a setting by its name or by the paper's symbol.</summary>
    /// <exception cref="ArgumentException">There is no such setting.</exception>
    public SolverSetting Setting(string name) =>
        Settings.FirstOrDefault(setting => setting.IsNamed(name))
        ?? throw new ArgumentException(
            $"Solver {Name} has no setting \"{name}\". {NearestName.Advice(name, [.. Settings.Select(setting => setting.Name)])}"
        );

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
        foreach ((string name, string value) in set ?? new Dictionary<string, string>())
            Setting(name).Set(solver, value);
        solver.Check();
        return solver;
    }
}
