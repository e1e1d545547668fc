namespace Diffusion.Models;

/// <summary>Brings pictures to sizes that a network takes.</summary>
internal static class Padding
{
    /// <summary>What lies beyond the border.</summary>
    public enum Mode
    {
        /// <summary>
        /// The picture mirrored, without repeating the border; the border repeated where the picture is too small for that.
        /// </summary>
        Reflect,

        /// <summary>The border repeated.</summary>
        Replicate,
    }

    /// <summary>Pads at the right and the bottom to multiples of <paramref name="multiple"/>.</summary>
    /// <returns>A new handle; the same values where nothing is missing.</returns>
    public static Tensor ToMultiple(Tensor x, int multiple, Mode mode = Mode.Reflect)
    {
        using Tensor? rows = Index(x.shape[2], multiple, mode, x.device),
            columns = Index(x.shape[3], multiple, mode, x.device);
        using Tensor tall = rows is null ? x.alias() : x.index_select(2, rows);
        return columns is null ? tall.alias() : tall.index_select(3, columns);
    }

    /// <summary>The upper left part; a view.</summary>
    public static Tensor Crop(Tensor x, long height, long width)
    {
        using Tensor rows = x.narrow(2, 0, height);
        return rows.narrow(3, 0, width);
    }

    private static Tensor? Index(long size, int multiple, Mode mode, Device device)
    {
        long padded = (size + multiple - 1) / multiple * multiple;
        if (padded == size)
            return null;
        bool reflect = mode == Mode.Reflect && padded - size < size;
        long[] index = new long[padded];
        for (long i = 0; i < padded; i++)
            index[i] =
                i < size ? i
                : reflect ? 2 * size - 2 - i
                : size - 1;
        return torch.tensor(index, device: device);
    }
}
