namespace Diffusion.Networks;

/// <summary>
/// Tensors [N,C,H,W] whose memory is laid out [N,H,W,C]: the layout in which convolutions and norms are fastest. Returned tensors belong to
/// the caller.
/// </summary>
public static class ChannelsLast
{
    /// <summary>The same values in channels-last memory; a new handle, and a copy only if needed.</summary>
    public static Tensor Of(Tensor x)
    {
        using Tensor rows = Rows(x);
        using Tensor contiguous = rows.contiguous();
        return contiguous.permute(0, 3, 1, 2);
    }

    /// <summary>A view [N,H,W,C] of [N,C,H,W].</summary>
    public static Tensor Rows(Tensor x) => x.permute(0, 2, 3, 1);

    /// <summary>Whether the memory is dense and channels last.</summary>
    public static bool Is(Tensor x)
    {
        long[] shape = x.shape;
        if (shape.Length != 4)
            return false;
        long[] strides = x.stride();
        long dense = 1;
        foreach (int dimension in (ReadOnlySpan<int>)[1, 3, 2, 0])
        {
            // A dimension of one element may have any stride.
            if (shape[dimension] != 1 && strides[dimension] != dense)
                return false;
            dense *= shape[dimension];
        }
        return true;
    }
}
