namespace Diffusion.Checkpoints;

/// <summary>Some of a checkpoint's tensors under other names: those below a prefix, without it. Borrows the checkpoint.</summary>
public sealed class CheckpointView : ICheckpoint
{
    private readonly ICheckpoint _source;
    private readonly Dictionary<string, TensorEntry> _tensors = [];

    /// <summary>Selects the tensors whose name begins with <paramref name="prefix"/> and removes it.</summary>
    /// <param name="source">The whole; it must outlive the view and is not disposed with it.</param>
    /// <param name="prefix">For example <c>state_dict.</c>; may be empty.</param>
    /// <param name="keep">Which of the remaining names to keep; null keeps all.</param>
    public CheckpointView(ICheckpoint source, string prefix, Func<string, bool>? keep = null)
    {
        _source = source;
        foreach ((string name, TensorEntry entry) in source.Tensors)
            if (name.StartsWith(prefix, StringComparison.Ordinal) && (keep is null || keep(name[prefix.Length..])))
                _tensors.Add(name[prefix.Length..], entry);
    }

    /// <inheritdoc/>
    public string Path => _source.Path;

    /// <inheritdoc/>
    public string Format => _source.Format;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _source.Metadata;

    /// <summary>Does nothing: the source is borrowed.</summary>
    public void Dispose() { }
}
