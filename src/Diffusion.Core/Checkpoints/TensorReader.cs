using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Makes tensors from the bytes of a file.</summary>
internal static class TensorReader
{
    /// <summary>Allocates a contiguous CPU tensor, has it filled and converts it.</summary>
    /// <param name="shape">Its shape, already checked against the bytes that are really there.</param>
    /// <param name="strides">Steps in elements between neighbours in the file; null when they are row-major.</param>
    /// <param name="stored">Dtype in the file.</param>
    /// <param name="wanted">Dtype of the result; null keeps the file's.</param>
    /// <param name="fill">Writes raw bytes, from the tensor's first element on, into the memory of the tensor it is given.</param>
    public static Tensor Read(long[] shape, long[]? strides, ScalarType stored, ScalarType? wanted, Action<Tensor> fill)
    {
        using ComputeScope scope = new();
        // Any byte but 0 and 1 in a bool tensor is undefined behaviour: read as bytes, then compare.
        ScalarType raw = stored == ScalarType.Bool ? ScalarType.Byte : stored;
        if (strides is null || shape.Contains(0) || TensorLayout.IsContiguous(shape, strides)) strides = null;
        Tensor memory = Allocate(strides is null ? shape : [TensorLayout.Extent(shape, strides)], raw);
        fill(memory);
        if (strides is not null) memory = memory.as_strided(shape, strides, 0).contiguous();
        return scope.Return(memory.to(wanted ?? stored));
    }

    private static Tensor Allocate(long[] shape, ScalarType dtype)
    {
        try
        {
            return torch.empty(shape, dtype: dtype, device: torch.CPU);
        }
        catch (ExternalException e)
        {
            throw new ResourceException($"There is not enough memory for a tensor of shape [{string.Join(", ", shape)}]", remedy: "Close other programs or use a smaller model", inner: e);
        }
    }
}
