namespace Diffusion.Checkpoints;

/// <summary>A permitted name that a pickle mentions: a function that is rebuilt here, or a class of which nothing is ever made.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>An object whose class is permitted but not needed; its content is dropped.</summary>
internal sealed class PickleInert
{
    /// <summary>There is nothing to tell them apart by.</summary>
    public static PickleInert Instance { get; } = new();
}

/// <summary>A dictionary of a pickle; entries keep their order.</summary>
internal sealed class PickleDict
{
    private Dictionary<object, object?>? _entries;

    /// <summary>The entries; a key None appears as <see cref="DBNull"/>.</summary>
    public IEnumerable<KeyValuePair<object, object?>> Entries => _entries ?? [];

    /// <summary>Sets or replaces an entry, as Python does.</summary>
    public void Set(object? key, object? value) => (_entries ??= [])[key ?? DBNull.Value] = value;

    /// <summary>The value under a text key; null when there is none.</summary>
    public object? Get(string key) => _entries is not null && _entries.TryGetValue(key, out object? value) ? value : null;
}

/// <summary>A storage that a pickle refers to.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Dtype">Its dtype; null for an untyped storage, which is counted in bytes.</param>
/// <param name="Count">Elements.</param>
internal sealed record PickleStorage(string Key, ScalarType? Dtype, long Count)
{
    /// <summary>Length in bytes.</summary>
    public long Size => Count * (Dtype is { } type ? Dtypes.Size(type) : 1);
}

/// <summary>A tensor of a pickle: a view of a storage, checked to lie inside it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, ScalarType Dtype, long Offset, long[] Shape, long[] Strides);
