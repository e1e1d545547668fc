namespace Diffusion.Imaging;

/// <summary>Colour conversions on [..,C,H,W] tensors. Returned tensors belong to the caller.</summary>
public static class Color
{
    private const double LinearEnd = 0.04045,
        LinearSlope = 12.92,
        Offset = 0.055,
        Gamma = 2.4;

    /// <summary>Full-range luma of BT.601: 0.299 R + 0.587 G + 0.114 B.</summary>
    /// <param name="x">[..,C,H,W], C = 3 or 1 (returned as it is); borrowed.</param>
    /// <returns>[..,1,H,W] on the scale of <paramref name="x"/>; the caller owns it.</returns>
    public static Tensor ToLuma(Tensor x) => Weigh(x, 0.299, 0.587, 0.114, 0);

    /// <summary>
    /// The Y of video range that the restoration literature measures on: 16 + (65.481 R + 128.553 G + 24.966 B)/255 for values on 0..255.
    /// </summary>
    /// <param name="x">
    /// [..,C,H,W] on 0..255, C = 3; with C = 1 it is returned as it is, since gray pictures are compared on their own values. Borrowed.
    /// </param>
    /// <returns>[..,1,H,W]; the caller owns it.</returns>
    public static Tensor ToVideoLuma(Tensor x) => Weigh(x, 65.481 / 255, 128.553 / 255, 24.966 / 255, 16);

    /// <summary>Decodes sRGB: coded values on [0,1] to linear light. Values beyond [0,1] continue with odd symmetry.</summary>
    public static Tensor ToLinear(Tensor coded)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor magnitude = coded.abs();
        Tensor curve = ((magnitude + Offset) / (1 + Offset)).pow(Gamma);
        return (torch.where(magnitude.le(LinearEnd), magnitude / LinearSlope, curve) * coded.sign()).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes linear light as sRGB; the inverse of <see cref="ToLinear"/>.</summary>
    public static Tensor ToSrgb(Tensor linear)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor magnitude = linear.abs();
        Tensor curve = magnitude.pow(1 / Gamma) * (1 + Offset) - Offset;
        return (
            torch.where(magnitude.le(LinearEnd / LinearSlope), magnitude * LinearSlope, curve) * linear.sign()
        ).MoveToOuterDisposeScope();
    }

    /// <summary>Three equal channels from one; three stay as they are.</summary>
    /// <param name="x">[..,C,H,W], C = 1 or 3; borrowed.</param>
    /// <returns>[..,3,H,W]; the caller owns it.</returns>
    public static Tensor ToRgb(Tensor x) =>
        CheckedChannels(x) == 3 ? x.alias() : x.repeat([.. Enumerable.Repeat(1L, (int)x.dim() - 3), 3, 1, 1]);

    private static Tensor Weigh(Tensor x, double red, double green, double blue, double offset)
    {
        if (CheckedChannels(x) == 1)
            return x.alias();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor Channel(int c) => x.narrow(-3, c, 1);
        return (Channel(0) * red + Channel(1) * green + Channel(2) * blue + offset).MoveToOuterDisposeScope();
    }

    private static long CheckedChannels(Tensor x) =>
        x.dim() >= 3 && x.shape[^3] is (1 or 3)
            ? x.shape[^3]
            : throw new ArgumentException($"A picture is [..,C,H,W] with C = 1 or 3, not {Shapes.Describe(x)}.", nameof(x));
}
