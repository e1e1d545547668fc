using System.Collections;
using System.Text.Json.Nodes;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>The one description of a configuration's keys, by which it is read from a card and written to one.</summary>
/// <example><code>
/// public static ConfigKeys&lt;DruNetConfig&gt; Keys { get; } = new("DRUNet", DruNetConfig.Published, config => config.Validate())
/// {
///     { "nb", c => c.Blocks, (c, value) => c with { Blocks = value }, Key.Shown },
/// };
/// </code></example>
/// <typeparam name="T">An immutable record of constructor arguments.</typeparam>
/// <param name="network">What the configuration describes, for errors.</param>
/// <param name="defaults">The values of keys that are absent.</param>
/// <param name="validate">Throws an <see cref="ArgumentException"/> that says why a configuration is impossible.</param>
public sealed class ConfigKeys<T>(string network, T defaults, Action<T>? validate = null) : IEnumerable<string>
    where T : class
{
    private readonly List<(string Name, Key Kind, Func<T, JsonNode?> Get, Func<JsonNode, T, T> Set)> _keys = [];
    private readonly List<string> _others = [];
    private Func<JsonObject, T, T> _then = (_, config) => config;

    /// <summary>Describes one key.</summary>
    /// <param name="name">The published name.</param>
    /// <param name="get">Its value.</param>
    /// <param name="set">The configuration with another value.</param>
    /// <param name="kind">Whether it must be there, and whether names and shapes of the weights show it.</param>
    public void Add<TValue>(string name, Func<T, TValue> get, Func<T, TValue, T> set, Key kind = Key.Optional) =>
        _keys.Add(
            (name, kind, config => ConfigValue.Write(get(config)), (node, config) => set(config, ConfigValue.Read<TValue>(name, node)))
        );

    /// <summary>Describes a key that has one possible value here.</summary>
    public void Add<TValue>(string name, TValue only) =>
        Add(
            name,
            _ => only,
            (config, value) =>
                Equals(value, only)
                    ? config
                    : throw new FormatException(
                        only is null ? $"{name} is {value}, which is not supported" : $"{name} is {value}, but only {only} is supported"
                    ),
            Key.Shown
        );

    /// <summary>Describes keys that are read, but never written: older spellings and what only training needs.</summary>
    /// <param name="names">The keys.</param>
    /// <param name="then">The configuration once all other keys are read; null: the keys say nothing.</param>
    /// <returns>This.</returns>
    public ConfigKeys<T> Reading(string[] names, Func<JsonObject, T, T>? then = null)
    {
        _others.AddRange(names);
        _then = then ?? _then;
        return this;
    }

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="CheckpointException">A value is missing, of another kind or impossible.</exception>
    public T Read(JsonObject json)
    {
        try
        {
            T config = defaults;
            foreach ((string name, Key kind, _, Func<JsonNode, T, T> set) in _keys)
            {
                if (json[name] is { } node)
                    config = set(node, config);
                else if (kind.HasFlag(Key.Required))
                    throw new FormatException($"{name} is missing");
            }
            config = _then(json, config);
            validate?.Invoke(config);
            return config;
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException)
        {
            throw Refuse(wrong.Message);
        }
    }

    /// <summary>Writes a configuration.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="onlyShown">Leaves out what names and shapes of the weights do not show.</param>
    public JsonObject Write(T config, bool onlyShown = false)
    {
        JsonObject json = [];
        foreach ((string name, Key kind, Func<T, JsonNode?> get, _) in _keys)
            if (!onlyShown || kind.HasFlag(Key.Shown))
                json[name] = get(config);
        return json;
    }

    /// <summary>All keys that <see cref="Read"/> knows.</summary>
    public IEnumerator<string> GetEnumerator() => _keys.Select(key => key.Name).Concat(_others).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal CheckpointException Refuse(string why) => new($"This configuration describes no {network}: {why.TrimEnd('.')}");
}

/// <summary>What is known about a key of a configuration.</summary>
[Flags]
public enum Key
{
    /// <summary>It has a default, and weights do not show it.</summary>
    Optional = 0,

    /// <summary>It has no default.</summary>
    Required = 1,

    /// <summary>Names and shapes of the weights show it.</summary>
    Shown = 2,
}
