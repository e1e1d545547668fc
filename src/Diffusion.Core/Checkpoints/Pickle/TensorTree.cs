using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>
/// Finds the tensors in nested dictionaries, lists, tuples and whole modules, and names them by joining keys and positions with dots.
/// </summary>
internal sealed class TensorTree
{
    private const int MaxDepth = 64,
        MaxVisits = 500_000,
        MaxFact = 200,
        MaxFacts = 50;
    private readonly PickleStream _stream;
    private readonly Dictionary<string, PickleTensor> _tensors = [];
    private int _visits;

    private TensorTree(PickleStream stream) => _stream = stream;

    /// <summary>All tensors below <paramref name="root"/>; a lone tensor is called <c>tensor</c>.</summary>
    /// <param name="root">What a pickle held.</param>
    /// <param name="stream">For messages.</param>
    public static Dictionary<string, PickleTensor> Flatten(object? root, PickleStream stream)
    {
        TensorTree tree = new(stream);
        tree.Visit(root is PickleTensor ? "tensor" : "", root, 0);
        return tree._tensors;
    }

    /// <summary>Words and whole numbers in the outermost dictionary, such as a version or a number of steps.</summary>
    public static Dictionary<string, string> Facts(object? root)
    {
        Dictionary<string, string> facts = [];
        foreach ((object key, object? value) in (root as PickleDict)?.Entries ?? [])
            if (key is string name && name.Length <= MaxFact && facts.Count < MaxFacts)
                if (value is string { Length: <= MaxFact } or long)
                    facts[name] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return facts;
    }

    private void Visit(string name, object? value, int depth)
    {
        if (depth > MaxDepth || ++_visits > MaxVisits)
            throw _stream.Malformed("Nesting too deep, or a value that contains itself");
        switch (value)
        {
            case PickleTensor tensor:
                if (!_tensors.TryAdd(name, tensor))
                    throw new CheckpointException($"Two tensors are called \"{Printable.Shorten(name)}\"", _stream.Path);
                break;
            case PickleDict dictionary:
                foreach ((object key, object? child) in dictionary.Entries)
                    if (KeyText(key) is { } text && IsBranch(child))
                        Visit(Join(name, text), child, depth + 1);
                break;
            case PickleRecord module:
                foreach ((object key, object? child) in module.Members)
                    if (KeyText(key) is { } text && IsBranch(child))
                        Visit(Join(name, text), child, depth + 1);
                break;
            case List<object?> list:
                for (int i = 0; i < list.Count; i++)
                    VisitItem(name, i, list[i], depth);
                break;
            case object?[] tuple:
                for (int i = 0; i < tuple.Length; i++)
                    VisitItem(name, i, tuple[i], depth);
                break;
        }
    }

    private void VisitItem(string name, int index, object? child, int depth)
    {
        if (IsBranch(child))
            Visit(Join(name, index.ToString(CultureInfo.InvariantCulture)), child, depth + 1);
    }

    private static bool IsBranch(object? value) =>
        value is PickleTensor or PickleDict or List<object?> or object?[] or PickleRecord { IsModule: true };

    private static string Join(string name, string key) => name.Length == 0 ? key : $"{name}.{key}";

    private static string? KeyText(object key) =>
        key switch
        {
            string text => text,
            long number => number.ToString(CultureInfo.InvariantCulture),
            _ => null,
        };
}
