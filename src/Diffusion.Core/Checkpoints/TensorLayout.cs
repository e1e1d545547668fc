namespace Diffusion.Checkpoints;

/// <summary>Arithmetic of shapes and strides that a file claims.</summary>
internal static class TensorLayout
{
    /// <summary>The number of elements; null when a size is negative, or when the product, leaving out zeros, passes 2^63.</summary>
    public static long? ElementCount(ReadOnlySpan<long> shape)
    {
        long product = 1;
        bool empty = false;
        foreach (long size in shape)
        {
            if (size < 0) return null;
            empty |= size == 0;
            if (size > 0 && product > long.MaxValue / size) return null;
            product *= Math.Max(size, 1);
        }
        return empty ? 0 : product;
    }
}
