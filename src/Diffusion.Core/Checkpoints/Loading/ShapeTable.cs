namespace Diffusion.Checkpoints;

/// <summary>Names and shapes of a network's weights, with the prefix removed.</summary>
public sealed class ShapeTable
{
    private readonly Dictionary<string, IReadOnlyList<long>> _shapes = [];

    /// <summary>The tensors below <paramref name="prefix"/>.</summary>
    public ShapeTable(IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> all, string prefix)
    {
        foreach ((string name, IReadOnlyList<long> shape) in all)
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                _shapes[name[prefix.Length..]] = shape;
    }

    /// <summary>The same shapes under other names; those that have none are left out.</summary>
    public ShapeTable Renamed(IReadOnlyDictionary<string, string> names) =>
        new(_shapes.Where(pair => names.ContainsKey(pair.Key)).Select(pair => KeyValuePair.Create(names[pair.Key], pair.Value)), "");

    /// <summary>All names.</summary>
    public IReadOnlyCollection<string> Names => _shapes.Keys;

    /// <summary>The tensors below a further prefix, without it.</summary>
    public ShapeTable Below(string prefix) => new(_shapes, prefix);

    /// <summary>Whether there is such a tensor.</summary>
    public bool Has(string name) => _shapes.ContainsKey(name);

    /// <summary>Whether any name begins so.</summary>
    public bool HasAny(string beginning) => _shapes.Keys.Any(name => name.StartsWith(beginning, StringComparison.Ordinal));

    /// <summary>One size of a tensor's shape; null when there is no such tensor or dimension.</summary>
    public int? Size(string name, int dimension) =>
        _shapes.TryGetValue(name, out IReadOnlyList<long>? shape) && dimension < shape.Count && shape[dimension] is > 0 and <= int.MaxValue
            ? (int)shape[dimension]
            : null;

    /// <summary>Number of dimensions; 0 when there is no such tensor.</summary>
    public int Rank(string name) => _shapes.TryGetValue(name, out IReadOnlyList<long>? shape) ? shape.Count : 0;

    /// <summary>How many consecutive numbers, from 0, occur in names <c>beginning.N.</c>.</summary>
    public int Count(string beginning)
    {
        int count = 0;
        while (HasAny($"{beginning}.{count}."))
            count++;
        return count;
    }
}
