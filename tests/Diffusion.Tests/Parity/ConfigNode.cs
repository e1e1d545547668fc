using System.Text.Json;

namespace Diffusion.Tests.Parity;

/// <summary>
/// One object of a case's <c>config</c>. It notes which keys were asked for, so that a key that the test does not know is a failure.
/// </summary>
public sealed class ConfigNode(JsonElement element, string path)
{
    private readonly HashSet<string> _used = [];
    private readonly Dictionary<string, ConfigNode[]> _children = [];

    /// <summary>All keys, in the order of the file.</summary>
    public IReadOnlyList<string> Keys => [.. element.EnumerateObject().Select(property => property.Name)];

    /// <summary>Whether the key is there; does not count as use.</summary>
    public bool Has(string key) => element.TryGetProperty(key, out _);

    /// <summary>Whether the value is null; counts as use when it is.</summary>
    public bool IsNull(string key)
    {
        bool isNull = element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Null;
        if (isNull)
            _used.Add(key);
        return isNull;
    }

    /// <summary>Whether the value is a JSON string, number, list (<see cref="JsonValueKind"/>); does not count as use.</summary>
    public JsonValueKind Kind(string key) => element.TryGetProperty(key, out JsonElement value) ? value.ValueKind : JsonValueKind.Undefined;

    /// <summary>The raw value; everything inside counts as used.</summary>
    public JsonElement Raw(string key)
    {
        Assert.True(element.TryGetProperty(key, out JsonElement value), $"{path}.{key} is missing.");
        _used.Add(key);
        return value;
    }

    /// <summary>A whole number.</summary>
    public int Int(string key) => Raw(key).TryGetInt32(out int value) ? value : (int)Whole(key);

    /// <summary>A whole number, or what its absence means.</summary>
    public int Int(string key, int absent) => Has(key) ? Int(key) : absent;

    /// <summary>A real number.</summary>
    public double Double(string key) => Raw(key).GetDouble();

    /// <summary>A real number, or what its absence means.</summary>
    public double Double(string key, double absent) => Has(key) ? Double(key) : absent;

    /// <summary>A truth value.</summary>
    public bool Bool(string key) => Raw(key).GetBoolean();

    /// <summary>A truth value, or what its absence means.</summary>
    public bool Bool(string key, bool absent) => Has(key) ? Bool(key) : absent;

    /// <summary>A label: any string.</summary>
    public string String(string key) => Raw(key).GetString()!;

    /// <summary>A label, or what its absence means.</summary>
    public string String(string key, string absent) => Has(key) ? String(key) : absent;

    /// <summary>A list of whole numbers.</summary>
    public int[] Ints(string key) => [.. Raw(key).EnumerateArray().Select(item => (int)item.GetDouble())];

    /// <summary>A list of real numbers.</summary>
    public double[] Doubles(string key) => [.. Raw(key).EnumerateArray().Select(item => item.GetDouble())];

    /// <summary>A list of strings.</summary>
    public string[] Strings(string key) => [.. Raw(key).EnumerateArray().Select(item => item.GetString()!)];

    /// <summary>A string out of a closed vocabulary; anything else fails.</summary>
    public string OneOf(string key, params string[] allowed)
    {
        string value = String(key);
        Assert.True(allowed.Contains(value), $"{path}.{key} is \"{value}\"; this test knows {string.Join(", ", allowed)}.");
        return value;
    }

    /// <summary>Asserts that the key, where present, has the only value there is.</summary>
    public void Only(string key, bool value)
    {
        if (Has(key))
            Assert.True(Bool(key) == value, $"{path}.{key} is not {value}.");
    }

    /// <summary>Asserts that the key, where present, has the only value there is.</summary>
    public void Only(string key, double value)
    {
        if (Has(key))
            Assert.True(Double(key) == value, $"{path}.{key} is not {value}.");
    }

    /// <summary>Asserts that the key, where present, has one of these values.</summary>
    public void Only(string key, params string[] allowed)
    {
        if (Has(key))
            OneOf(key, allowed);
    }

    /// <summary>Marks keys whose values explain and are not parsed; they may be absent.</summary>
    public void Text(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
            _used.Add(key);
    }

    /// <summary>A nested object.</summary>
    public ConfigNode Object(string key)
    {
        if (_children.TryGetValue(key, out ConfigNode[]? known))
            return known[0];
        JsonElement value = Raw(key);
        Assert.True(value.ValueKind == JsonValueKind.Object, $"{path}.{key} is no object.");
        _children[key] = [new ConfigNode(value, $"{path}.{key}")];
        return _children[key][0];
    }

    /// <summary>A list of nested objects.</summary>
    public IReadOnlyList<ConfigNode> Objects(string key)
    {
        if (_children.TryGetValue(key, out ConfigNode[]? known))
            return known;
        return _children[key] = [.. Raw(key).EnumerateArray().Select((item, i) => new ConfigNode(item, $"{path}.{key}[{i}]"))];
    }

    /// <summary>Fails when a key, here or in a nested object that was asked for, was never used.</summary>
    public void AssertAllKeysUsed()
    {
        foreach (string key in Keys)
            Assert.True(_used.Contains(key), $"{path}.{key} is not known to this test.");
        foreach (ConfigNode child in _children.Values.SelectMany(nodes => nodes))
            child.AssertAllKeysUsed();
    }

    private double Whole(string key)
    {
        double value = Double(key);
        Assert.True(value == Math.Truncate(value), $"{path}.{key} is {value}, not a whole number.");
        return value;
    }
}
