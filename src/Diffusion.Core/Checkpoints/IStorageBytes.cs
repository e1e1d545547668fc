namespace Diffusion.Checkpoints;

/// <summary>The bytes of one tensor or PyTorch storage, wherever they lie.</summary>
internal interface IStorageBytes
{
    /// <summary>Length in bytes.</summary>
    long Size { get; }

    /// <summary>Opens a range, which the caller has checked to lie inside. Reading it to its end also verifies checksums, where there are any.</summary>
    Stream Open(long offset, long length);
}

/// <summary>Bytes that lie in a file as they are.</summary>
internal sealed class FileRange(CheckpointFile file, long start, long size) : IStorageBytes
{
    /// <inheritdoc/>
    public long Size => size;

    /// <inheritdoc/>
    public Stream Open(long offset, long length) => new FileSlice(file, start + offset, length);
}
