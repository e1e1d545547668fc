namespace Diffusion.Checkpoints;

/// <summary>Bytes that lie in a file as they are.</summary>
internal sealed class FileRange(CheckpointFile file, long start) : IStorageBytes
{
    /// <inheritdoc/>
    public Stream Open(long offset, long length) => new FileSlice(file, start + offset, length);
}
