using Diffusion.Runtime;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Diffusion.Evaluation;

/// <summary>A mapping of a YAML file whose keys are known beforehand: others are errors that name the line and the nearest key.</summary>
internal sealed class YamlMap
{
    private readonly Dictionary<string, YamlNode> _values = [];
    private readonly string _file;

    private YamlMap(YamlMappingNode node, string file, IReadOnlyCollection<string> known)
    {
        _file = file;
        foreach ((YamlNode key, YamlNode value) in node.Children)
        {
            string name = Text(key);
            if (!known.Contains(name))
                throw Error(key, $"\"{name}\" is no key of a bench file here", NearestName.Advice(name, known));
            _values.Add(name, value);
        }
    }

    /// <summary>The mapping that a file holds.</summary>
    public static YamlMap Load(TextReader text, string file, IReadOnlyCollection<string> known)
    {
        YamlStream stream = [];
        try
        {
            stream.Load(text);
        }
        catch (YamlException e)
        {
            throw new DiffusionException(
                $"The bench file is no YAML: {e.InnerException?.Message ?? e.Message}".TrimEnd('.'),
                $"{file}, line {e.Start.Line}",
                null,
                e
            );
        }
        if (stream.Documents is [{ RootNode: YamlMappingNode root }])
            return new YamlMap(root, file, known);
        throw new DiffusionException("A bench file is one mapping of keys to values", file, $"Keys are {string.Join(", ", known)}");
    }

    /// <summary>Reads a value, if there is one.</summary>
    public T Value<T>(string key, T otherwise, Func<string, T> read) =>
        _values.TryGetValue(key, out YamlNode? node) ? Read(node, read) : otherwise;

    /// <summary>Reads a list of values, a single one counting as a list of one; null when the key is missing.</summary>
    public IReadOnlyList<T>? List<T>(string key, Func<string, T> read) => Items(key)?.Select(node => Read(node, read)).ToList();

    /// <summary>Reads a list whose entries are a word or a mapping.</summary>
    public IReadOnlyList<T>? List<T>(string key, Func<string, T> fromWord, IReadOnlyCollection<string> known, Func<YamlMap, T> fromMap) =>
        Items(key)
            ?.Select(node =>
                node is YamlMappingNode map ? Guard(node, () => fromMap(new YamlMap(map, _file, known))) : Read(node, fromWord)
            )
            .ToList();

    /// <summary>Reads a mapping of free names to words; empty when the key is missing.</summary>
    public IReadOnlyDictionary<string, string> Pairs(string key)
    {
        if (!_values.TryGetValue(key, out YamlNode? node))
            return new Dictionary<string, string>();
        if (node is not YamlMappingNode map)
            throw Error(node, $"{key} is a mapping of names to values", null);
        // A list of numbers is written in brackets; settings read it separated by commas.
        return map.Children.ToDictionary(
            pair => Text(pair.Key),
            pair => pair.Value is YamlSequenceNode list ? string.Join(',', list.Select(Text)) : Text(pair.Value)
        );
    }

    /// <summary>A word that must be there.</summary>
    public string Word(string key) => Value(key, (string?)null, text => text) ?? throw new ArgumentException($"{key} is missing");

    private IEnumerable<YamlNode>? Items(string key) =>
        !_values.TryGetValue(key, out YamlNode? node) ? null
        : node is YamlSequenceNode list ? list.Children
        : [node];

    private T Read<T>(YamlNode node, Func<string, T> read) => Guard(node, () => read(Text(node)));

    private T Guard<T>(YamlNode node, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentException e)
        {
            throw Error(node, e.Message.TrimEnd('.'), null);
        }
    }

    private string Text(YamlNode node) =>
        node is YamlScalarNode { Value: { } text } ? text : throw Error(node, "A single word or number is expected", null);

    private DiffusionException Error(YamlNode node, string what, string? remedy) =>
        new(what, $"{_file}, line {node.Start.Line}", remedy?.TrimEnd('.'));
}
