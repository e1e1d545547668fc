using Diffusion.Imaging;

namespace Diffusion.Metrics;

/// <summary>Brings pictures on [0,1] to what metrics compute on: [C,h,w] float64 on 0..255.</summary>
internal static class MetricInput
{
    /// <summary>Checks and prepares a pair.</summary>
    public static (Tensor A, Tensor B) Pair(Tensor a, Tensor b, int border, bool eightBit)
    {
        if (!a.shape.SequenceEqual(b.shape))
            throw new ArgumentException(
                $"The pictures differ in size: [{string.Join(",", a.shape)}] and [{string.Join(",", b.shape)}]. Crop or resize one of them."
            );
        return (Single(a, border, eightBit), Single(b, border, eightBit));
    }

    /// <summary>Checks and prepares one picture.</summary>
    /// <param name="x">[1,C,H,W] or [C,H,W] on [0,1], C = 3 or 1.</param>
    /// <param name="border">Pixels cut on each side.</param>
    /// <param name="eightBit">Clip and round to the 256 values of an 8-bit file.</param>
    public static Tensor Single(Tensor x, int border, bool eightBit)
    {
        if (!x.is_floating_point() || x.dim() is not (3 or 4) || (x.dim() == 4 && x.shape[0] != 1) || x.shape[^3] is not (1 or 3))
            throw new ArgumentException(
                $"A metric compares one picture [1,C,H,W] or [C,H,W] with C = 1 or 3 on [0,1], not [{string.Join(",", x.shape)}] "
                    + $"{x.dtype}.",
                nameof(x)
            );
        (long height, long width) = (x.shape[^2], x.shape[^1]);
        if (border < 0 || 2L * border >= Math.Min(height, width))
            throw new ArgumentException($"A border of {border} leaves nothing of {width}x{height} pixels.", nameof(border));
        Tensor inside = x.detach()
            .reshape(x.shape[^3], height, width)
            .narrow(1, border, height - 2 * border)
            .narrow(2, border, width - 2 * border)
            .cpu();
        return eightBit
            ? (inside.to(ScalarType.Float32).clamp(0, 1) * 255).round().to(ScalarType.Float64)
            : inside.to(ScalarType.Float64) * 255;
    }

    /// <summary>The Y of video range, [1,h,w]; gray pictures as they are.</summary>
    public static Tensor Luma(Tensor x255, bool round)
    {
        Tensor y = Color.ToVideoLuma(x255);
        return round ? y.round() : y;
    }
}
