namespace Diffusion.Checkpoints;

/// <summary>The bytes of one tensor or PyTorch storage, wherever they lie.</summary>
internal interface IStorageBytes
{
    /// <summary>
    /// Opens a range, which the caller has checked to lie inside. Reading it to its end also verifies checksums, where there are any.
    /// </summary>
    Stream Open(long offset, long length);
}
