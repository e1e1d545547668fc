namespace Diffusion.Checkpoints;

/// <summary>A checkpoint whose tensors are replaced by others of the same or of another table. Borrows the checkpoint.</summary>
internal sealed class TensorTable(ICheckpoint source, IReadOnlyDictionary<string, TensorEntry> tensors) : ICheckpoint
{
    /// <inheritdoc/>
    public string Path => source.Path;

    /// <inheritdoc/>
    public string Format => source.Format;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    /// <summary>Does nothing: the source is borrowed.</summary>
    public void Dispose() { }
}
