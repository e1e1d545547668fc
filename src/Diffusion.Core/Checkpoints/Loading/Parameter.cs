namespace Diffusion.Checkpoints;

/// <summary>One named parameter of a network: declared with its shape, filled by a loader, a trainer or a test.</summary>
/// <remarks>
/// A network reads <see cref="Value"/> at every evaluation and allocates nothing itself, so that a 2 GB network costs nothing before its
/// weights arrive.
/// </remarks>
public sealed class Parameter(string name, long[] shape, bool keepFloat32 = false) : IDisposable
{
    private Tensor? _value;

    /// <summary>The published name, for example <c>input_blocks.0.0.weight</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The published shape.</summary>
    public long[] Shape { get; } = shape;

    /// <summary>Stays float32 whatever dtype the network computes in (norms, embeddings, first and last convolution).</summary>
    public bool KeepFloat32 { get; } = keepFloat32;

    /// <summary>The weights. Setting takes ownership and detaches from dispose scopes; the previous value is disposed.</summary>
    public Tensor Value
    {
        get => _value ?? throw new InvalidOperationException($"Parameter {Name} has not been loaded.");
        set
        {
            if (!ReferenceEquals(_value, value))
                _value?.Dispose();
            _value = value.DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _value?.Dispose();
        _value = null;
    }
}
