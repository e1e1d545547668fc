using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>The bytes of a contiguous CPU tensor, piece by piece: a span ends at 2 GiB, a tensor need not.</summary>
internal static class TensorMemory
{
    private const long Piece = 1 << 30;

    /// <summary>Length in bytes.</summary>
    public static long Length(Tensor tensor) => tensor.numel() * tensor.ElementSize;

    /// <summary>Up to 1 GiB of memory from <paramref name="offset"/>; valid while the tensor lives.</summary>
    public static unsafe Span<byte> From(Tensor tensor, long offset) =>
        new((byte*)TensorData.Pointer(tensor) + offset, (int)Math.Min(Piece, Length(tensor) - offset));
}
