namespace Diffusion.Networks.Layers;

/// <summary>Tensors [N,C,H,W] whose memory is laid out [N,H,W,C]: the layout in which convolutions and norms are fastest.</summary>
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
        if (x.dim() != 4) return false;
        using Tensor rows = Rows(x);
        return rows.is_contiguous();
    }
}
