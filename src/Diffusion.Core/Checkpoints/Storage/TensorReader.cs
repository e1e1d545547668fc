using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Makes tensors from the bytes of a file.</summary>
internal static class TensorReader
{
    private const long PieceElements = 1 << 18;

    /// <summary>Reads a view of a storage into a contiguous CPU tensor.</summary>
    /// <param name="storage">Where the bytes are.</param>
    /// <param name="offset">The view's first byte.</param>
    /// <param name="shape">Its shape, already checked against the bytes that are really there.</param>
    /// <param name="strides">Steps in elements between neighbours in the file; null when they are row-major.</param>
    /// <param name="stored">Dtype in the file.</param>
    /// <param name="wanted">Dtype of the result; null keeps the file's.</param>
    public static Tensor Read(IStorageBytes storage, long offset, long[] shape, long[]? strides, ScalarType stored, ScalarType? wanted)
    {
        using ComputeScope scope = new();
        // Any byte but 0 and 1 in a bool tensor is undefined behaviour: read as bytes, then converted.
        ScalarType raw = stored == ScalarType.Bool ? ScalarType.Byte : stored,
            final = wanted ?? stored;
        bool strided = strides is not null && !shape.Contains(0) && !TensorLayout.IsContiguous(shape, strides);
        long elements = strided ? TensorLayout.Extent(shape, strides) : TensorLayout.ElementCount(shape) ?? 0;
        using Stream source = storage.Open(offset, elements * Dtypes.Size(stored));
        if (strided)
        {
            Tensor extent = Allocate([elements], raw);
            Fill(extent, source);
            return scope.Return(extent.as_strided(shape, strides!, 0).contiguous().to(final));
        }
        Tensor result = Allocate(shape, final);
        if (final == raw)
            Fill(result, source);
        else
            Convert(result.reshape(-1), raw, source);
        return scope.Return(result);
    }

    // Piece by piece: a whole tensor in the file's dtype beside the converted one would leave holes of its size in the heap.
    private static void Convert(Tensor result, ScalarType raw, Stream source)
    {
        long elements = result.numel();
        Tensor buffer = Allocate([Math.Min(elements, PieceElements)], raw);
        for (long done = 0; done < elements; done += PieceElements)
        {
            long count = Math.Min(PieceElements, elements - done);
            using Tensor piece = buffer.narrow(0, 0, count),
                target = result.narrow(0, done, count);
            Fill(piece, source);
            target.copy_(piece);
        }
    }

    private static void Fill(Tensor tensor, Stream source)
    {
        for (long done = 0, length = TensorMemory.Length(tensor); done < length; )
        {
            Span<byte> piece = TensorMemory.From(tensor, done);
            source.ReadExactly(piece);
            done += piece.Length;
        }
        GC.KeepAlive(tensor);
    }

    private static Tensor Allocate(long[] shape, ScalarType dtype)
    {
        try
        {
            return torch.empty(shape, dtype: dtype, device: torch.CPU);
        }
        catch (ExternalException e)
        {
            throw new ResourceException(
                $"There is not enough memory for a tensor of shape [{string.Join(", ", shape)}]",
                remedy: "Close other programs or use a smaller model",
                inner: e
            );
        }
    }
}
