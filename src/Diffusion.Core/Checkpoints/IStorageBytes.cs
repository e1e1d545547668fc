namespace Diffusion.Checkpoints;

/// <summary>The bytes of one PyTorch storage, wherever they lie.</summary>
internal interface IStorageBytes
{
    /// <summary>Length in bytes.</summary>
    long Size { get; }

    /// <summary>Fills a contiguous CPU tensor from <paramref name="offset"/>; the caller has checked that the range lies inside.</summary>
    void Read(long offset, Tensor destination);
}
