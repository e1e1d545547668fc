using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Pipeline;

/// <summary>The restoration methods that users choose by name. Immutable; made by one pass over the exported types of assemblies.</summary>
public sealed class MethodCatalog
{
    private readonly Dictionary<string, MethodEntry> _entries = new(StringComparer.OrdinalIgnoreCase);

    private MethodCatalog(IEnumerable<Assembly> assemblies)
    {
        foreach (Type type in assemblies.Distinct().SelectMany(assembly => assembly.GetExportedTypes()))
        {
            if (type.GetCustomAttribute<RestorationMethodAttribute>() is not { } attribute)
                continue;
            if (!typeof(IRestorationMethod).IsAssignableFrom(type) || type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
                throw new ArgumentException(
                    $"{type.FullName} is marked as restoration method \"{attribute.Name}\" but is no concrete IRestorationMethod with a "
                        + $"constructor without parameters."
                );
            if (_entries.TryGetValue(attribute.Name, out MethodEntry? other))
                throw new ArgumentException(
                    $"Two restoration methods are named \"{attribute.Name}\": {other.Type.FullName} ({other.Type.Assembly.GetName().Name}) "
                        + $"and {type.FullName} ({type.Assembly.GetName().Name})."
                );
            _entries.Add(attribute.Name, new MethodEntry(type, attribute));
        }
        Entries = [.. _entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    /// <summary>The methods that ship and those of further assemblies, such as those of <see cref="Inverse.Plugins.Load"/>.</summary>
    /// <exception cref="ArgumentException">Two methods have the same name, or a marked class is no method.</exception>
    public static MethodCatalog With(params IEnumerable<Assembly> plugins) => new([typeof(MethodCatalog).Assembly, .. plugins]);

    /// <summary>The methods by name.</summary>
    public IReadOnlyList<MethodEntry> Entries { get; }

    /// <summary>Finds a method.</summary>
    /// <exception cref="ArgumentException">There is no such method; the message names the nearest one.</exception>
    public MethodEntry Find(string name) =>
        _entries.GetValueOrDefault(name)
        ?? throw new ArgumentException($"There is no restoration method \"{name}\". {NearestName.Advice(name, [.. _entries.Keys])}");
}

/// <summary>A restoration method in the catalogue.</summary>
public sealed class MethodEntry
{
    internal MethodEntry(Type type, RestorationMethodAttribute attribute)
    {
        (Type, Name, About) = (type, attribute.Name, attribute.About);
        Settings = Setting.Of(type);
    }

    /// <summary>Name in commands.</summary>
    public string Name { get; }

    /// <summary>One sentence.</summary>
    public string About { get; }

    /// <summary>The class.</summary>
    public Type Type { get; }

    /// <summary>The settings in the order of declaration.</summary>
    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>A method with some of its settings replaced; the caller disposes it.</summary>
    /// <param name="set">Values by the name or symbol of a setting.</param>
    /// <exception cref="ArgumentException">Unknown names, values that cannot be read or lie out of range.</exception>
    public IRestorationMethod Create(IReadOnlyDictionary<string, string>? set = null)
    {
        IRestorationMethod method = (IRestorationMethod)Activator.CreateInstance(Type)!;
        foreach ((string name, string value) in set ?? new Dictionary<string, string>())
            Find(name).Assign(method, value);
        return method;
    }

    /// <summary>What decides a restoration by this method, as far as it is known before it: what records hold and jobs compare.</summary>
    /// <param name="input">The measurement's file, or <c>-</c>.</param>
    /// <param name="options">How it is run.</param>
    /// <param name="set">As for <see cref="Create"/>.</param>
    /// <exception cref="ArgumentException">Unknown names in <paramref name="set"/>.</exception>
    /// <exception cref="IOException">The input cannot be read.</exception>
    public JsonObject ItemSettings(string input, RunOptions options, IReadOnlyDictionary<string, string>? set = null)
    {
        JsonObject settings = ItemFiles.Input(input, measurement: true);
        settings["model"] = Name;
        settings["model_set"] = new JsonObject(
            (set ?? new Dictionary<string, string>())
                .Select(pair => KeyValuePair.Create(Find(pair.Key).Name, (JsonNode?)pair.Value))
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        );
        settings["seed"] = options.Seed;
        settings["samples"] = options.Samples;
        settings["tile"] = options.Tile;
        options.Reading.AddTo(settings);
        return settings;
    }

    private Setting Find(string name) =>
        Settings.FirstOrDefault(setting => setting.IsNamed(name))
        ?? throw new ArgumentException(
            $"Method {Name} has no setting \"{name}\". {NearestName.Advice(name, [.. Settings.Select(setting => setting.Name)])}"
        );
}
