using System.Reflection;
using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>The solvers of some assemblies. Immutable; made by one pass over their exported types.</summary>
public sealed class SolverCatalog
{
    private readonly Dictionary<string, SolverEntry> _entries = new(StringComparer.OrdinalIgnoreCase);

    private SolverCatalog(IEnumerable<Assembly> assemblies)
    {
        foreach (Type type in assemblies.Distinct().SelectMany(assembly => assembly.GetExportedTypes()))
        {
            if (type.GetCustomAttribute<SolverAttribute>() is not { } attribute)
                continue;
            if (!typeof(ISolver).IsAssignableFrom(type) || type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
                throw new ArgumentException(
                    $"{type.FullName} is marked as solver \"{attribute.Name}\" but is no concrete ISolver with a parameterless constructor."
                );
            if (_entries.TryGetValue(attribute.Name, out SolverEntry? other))
                throw new ArgumentException(
                    $"Two solvers are named \"{attribute.Name}\": {other.Type.FullName} ({other.Type.Assembly.GetName().Name}) and "
                        + $"{type.FullName} ({type.Assembly.GetName().Name})."
                );
            _entries.Add(attribute.Name, new SolverEntry(type, attribute));
        }
        Entries = [.. _entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    /// <summary>The solvers that ship.</summary>
    public static SolverCatalog BuiltIn { get; } = new([typeof(SolverCatalog).Assembly]);

    /// <summary>The solvers that ship and those of further assemblies.</summary>
    /// <exception cref="ArgumentException">Two solvers have the same name; the message names both.</exception>
    public static SolverCatalog With(params IEnumerable<Assembly> plugins) => new([typeof(SolverCatalog).Assembly, .. plugins]);

    /// <summary>The solvers by name.</summary>
    public IReadOnlyList<SolverEntry> Entries { get; }

    /// <summary>Finds a solver.</summary>
    /// <exception cref="ArgumentException">There is no such solver; the message names the nearest one.</exception>
    public SolverEntry Find(string name) =>
        _entries.GetValueOrDefault(name)
        ?? throw new ArgumentException($"There is no solver \"{name}\". {NearestName.Advice(name, [.. _entries.Keys])}");

    /// <summary>A solver by name with the settings of a preset, some of them replaced.</summary>
    /// <inheritdoc cref="SolverEntry.Create"/>
    public ISolver Create(string name, string? preset, PresetRequest request, IReadOnlyDictionary<string, string>? set = null) =>
        Find(name).Create(preset, request, set);
}
