namespace Diffusion.Checkpoints;

/// <summary>A name that a pickle mentions: a function that is rebuilt here, or a class or function that is never looked up.</summary>
/// <param name="Module">The module.</param>
/// <param name="Name">The name in it.</param>
/// <param name="Callable">Whether a call of it has a meaning here.</param>
internal sealed record PickleGlobal(string Module, string Name, bool Callable)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>An object of a class that is not needed: nothing is made of it, and what it holds is data.</summary>
internal sealed class PickleRecord
{
    private const string Parameters = "_parameters",
        Buffers = "_buffers",
        Modules = "_modules",
        NonPersistent = "_non_persistent_buffers_set";

    /// <summary>Its attributes; null where there are none.</summary>
    public object? State { get; set; }

    /// <summary>Whether its attributes are those of a whole module of PyTorch.</summary>
    public bool IsModule => State is PickleDict state && state.Get(Parameters) is PickleDict && state.Get(Modules) is PickleDict;

    /// <summary>What a module's state dict holds, by names without the module's own.</summary>
    public IEnumerable<KeyValuePair<object, object?>> Members
    {
        get
        {
            if (!IsModule || State is not PickleDict state)
                return [];
            List<object?> left = state.Get(NonPersistent) as List<object?> ?? [];
            return new[] { Parameters, Buffers, Modules }.SelectMany(kind =>
                (state.Get(kind) as PickleDict)?.Entries.Where(entry => kind != Buffers || !left.Contains(entry.Key)) ?? []
            );
        }
    }
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
