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
            if (size < 0)
                return null;
            empty |= size == 0;
            if (size > 0 && product > long.MaxValue / size)
                return null;
            product *= Math.Max(size, 1);
        }
        return empty ? 0 : product;
    }

    /// <summary>Checks that a strided view lies inside its storage and is no bomb.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="strides">Steps in elements, one per size.</param>
    /// <param name="offset">First element.</param>
    /// <param name="stored">Elements of the storage.</param>
    /// <param name="elementSize">Bytes per element.</param>
    /// <returns>What is wrong, to be put after "A tensor"; null when nothing is.</returns>
    public static string? CheckView(ReadOnlySpan<long> shape, ReadOnlySpan<long> strides, long offset, long stored, int elementSize)
    {
        // A repeated (stride 0) tensor takes more memory than its storage; in weights that is a few index tables.
        const long MaxRepeatedBytes = 1 << 24;
        if (shape.Length != strides.Length || shape.Length > 64)
            return $"has {shape.Length} sizes but {strides.Length} strides";
        if (ElementCount(shape) is not { } elements)
            return "has a negative or overflowing shape";
        if (offset < 0)
            return $"begins at element {offset} of its storage";
        foreach (long stride in strides)
            if (stride < 0)
                return $"has a negative stride {stride}";
        if (elements == 0)
            return null;
        Int128 last = offset;
        for (int d = 0; d < shape.Length; d++)
            last += (Int128)(shape[d] - 1) * strides[d];
        if (last >= stored)
            return $"reaches element {last} of a storage of {stored}: storage shorter than declared";
        if (elements > stored && elements > MaxRepeatedBytes / elementSize)
            return $"of {elements} elements is made of only {stored}";
        return null;
    }

    /// <summary>Whether strides are those of a contiguous row-major tensor.</summary>
    public static bool IsContiguous(ReadOnlySpan<long> shape, ReadOnlySpan<long> strides)
    {
        long expected = 1;
        for (int d = shape.Length - 1; d >= 0; d--)
        {
            if (shape[d] != 1 && strides[d] != expected)
                return false;
            expected *= shape[d];
        }
        return true;
    }

    /// <summary>Elements from the first to the last that a non-empty view touches.</summary>
    public static long Extent(ReadOnlySpan<long> shape, ReadOnlySpan<long> strides)
    {
        long last = 0;
        for (int d = 0; d < shape.Length; d++)
            last += (shape[d] - 1) * strides[d];
        return last + 1;
    }
}
