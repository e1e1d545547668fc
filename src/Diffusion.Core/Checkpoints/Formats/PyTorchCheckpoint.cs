namespace Diffusion.Checkpoints;

/// <summary>A file written by <c>torch.save</c>, in either format: named views of storages that lie in the file.</summary>
internal sealed class PyTorchCheckpoint : ICheckpoint
{
    private readonly CheckpointFile _file;

    /// <summary>Takes ownership of <paramref name="file"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="format"><c>pytorch-zip</c> or <c>pytorch-legacy</c>.</param>
    /// <param name="tensors">Views by name.</param>
    /// <param name="storages">The bytes of every storage that a view names, checked for length.</param>
    /// <param name="facts">Words and whole numbers that lie beside the tensors.</param>
    public PyTorchCheckpoint(
        CheckpointFile file,
        string format,
        IReadOnlyDictionary<string, PickleTensor> tensors,
        IReadOnlyDictionary<string, IStorageBytes> storages,
        IReadOnlyDictionary<string, string> facts
    )
    {
        (_file, Metadata) = (file, facts);
        Format = format;
        Tensors = tensors.ToDictionary(
            pair => pair.Key,
            TensorEntry (pair) => new Entry(pair.Key, pair.Value, storages[pair.Value.Storage.Key])
        );
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public string Format { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private sealed class Entry(string name, PickleTensor view, IStorageBytes storage) : TensorEntry
    {
        public override string Name => name;
        public override ScalarType Dtype => view.Dtype;
        public override IReadOnlyList<long> Shape => view.Shape;

        public override Tensor Read(ScalarType? dtype = null) =>
            TensorReader.Read(storage, view.Offset * Dtypes.Size(view.Dtype), view.Shape, view.Strides, view.Dtype, dtype);
    }
}
