namespace Diffusion.Checkpoints;

/// <summary>A checkpoint whose tensors go by other names; those that have none are left out. Borrows the checkpoint.</summary>
/// <param name="source">The checkpoint; it must outlive this and is not disposed with it.</param>
/// <param name="names">The new name of each tensor that is kept.</param>
public sealed class RenamedCheckpoint(ICheckpoint source, IReadOnlyDictionary<string, string> names) : ICheckpoint
{
    /// <inheritdoc/>
    public string Path => source.Path;

    /// <inheritdoc/>
    public string Format => source.Format;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; } =
        source.Tensors.Where(pair => names.ContainsKey(pair.Key)).ToDictionary(pair => names[pair.Key], pair => pair.Value);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    /// <summary>Does nothing: the source is borrowed.</summary>
    public void Dispose() { }
}
