using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>What a warped picture shows where it looks beyond the source.</summary>
public enum WarpEdge
{
    /// <summary>The nearest pixel of the border, at any distance.</summary>
    Replicate,

    /// <summary>
    /// The fill colour as soon as the position leaves the picture; inside, the border pixel stands for its missing neighbours.
    /// </summary>
    Cut,

    /// <summary>
    /// The fill colour stands for every pixel outside and is blended with the border's, as OpenCV's constant border.
    /// </summary>
    Blend,
}

/// <summary>Pictures through affine maps, sampled bilinearly without anti-aliasing.</summary>
/// <remarks>
/// Output pixel (row i, column j) shows the source at map(j + 0.5, i + 0.5), continuous coordinates. Positions are computed in
/// float64,
/// values in float32; they are neither rounded nor clipped.
/// </remarks>
public static unsafe class Warp
{
    /// <summary>Samples a picture.</summary>
    /// <param name="picture">[1,C,H,W] or [C,H,W] float32; borrowed.</param>
    /// <param name="map">From the output to the source.</param>
    /// <param name="height">Rows of the output.</param>
    /// <param name="width">Columns of the output.</param>
    /// <param name="edge">Beyond the source.</param>
    /// <param name="fill">One value per channel; null: zeros.</param>
    /// <returns>[1,C,height,width]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No picture, or as many fill values as it has no channels.</exception>
    public static Tensor Bilinear(
        Tensor picture,
        Affine map,
        int height,
        int width,
        WarpEdge edge = WarpEdge.Replicate,
        ReadOnlySpan<float> fill = default
    )
    {
        if (picture.dim() is not (3 or 4) || (picture.dim() == 4 && picture.shape[0] != 1) || picture.dtype != ScalarType.Float32)
            throw new ArgumentException($"A picture is [1,C,H,W] float32, not {Shapes.Describe(picture)}.", nameof(picture));
        (int channels, int sourceHeight, int sourceWidth) = ((int)picture.shape[^3], (int)picture.shape[^2], (int)picture.shape[^1]);
        if (height < 1 || width < 1 || sourceHeight < 1 || sourceWidth < 1)
            throw new ArgumentException($"A picture of {sourceWidth}x{sourceHeight} cannot be warped to {width}x{height}.");
        if (fill.Length != 0 && fill.Length != channels)
            throw new ArgumentException($"A picture of {channels} channels cannot be filled with {fill.Length} values.", nameof(fill));
        float[] outside = fill.Length == 0 ? new float[channels] : fill.ToArray();
        using ComputeScope scope = new();
        Tensor source = picture.contiguous(),
            result = torch.empty(1, channels, height, width);
        Plane from = new((float*)TensorData.Pointer(source), sourceHeight, sourceWidth),
            to = new((float*)TensorData.Pointer(result), height, width);
        Workers.Run(height, row => Row(from, to, channels, row, map, edge, outside));
        GC.KeepAlive(source);
        return scope.Return(result);
    }

    private static void Row(Plane from, Plane to, int channels, int row, Affine map, WarpEdge edge, float[] outside)
    {
        for (int column = 0; column < to.Width; column++)
        {
            (double x, double y) = map.Apply(column + 0.5, row + 0.5);
            // Far outside everything is border: keeps the integers below within range.
            x = Math.Clamp(x, -2.0, from.Width + 2.0);
            y = Math.Clamp(y, -2.0, from.Height + 2.0);
            bool cut = edge == WarpEdge.Cut && (x < 0 || x > from.Width || y < 0 || y > from.Height);
            int left = (int)Math.Floor(x - 0.5),
                top = (int)Math.Floor(y - 0.5);
            float right = (float)(x - 0.5 - left),
                bottom = (float)(y - 0.5 - top);
            for (int c = 0; c < channels; c++)
            {
                float Tap(int i, int j)
                {
                    if (edge == WarpEdge.Blend && ((uint)i >= (uint)from.Height || (uint)j >= (uint)from.Width))
                        return outside[c];
                    return from.At(c, Math.Clamp(i, 0, from.Height - 1), Math.Clamp(j, 0, from.Width - 1));
                }
                float above = Tap(top, left) * (1 - right) + Tap(top, left + 1) * right,
                    below = Tap(top + 1, left) * (1 - right) + Tap(top + 1, left + 1) * right;
                to.At(c, row, column) = cut ? outside[c] : above * (1 - bottom) + below * bottom;
            }
        }
    }

    private readonly struct Plane(float* start, int height, int width)
    {
        public int Height => height;
        public int Width => width;

        public ref float At(int channel, int row, int column) => ref start[((long)channel * height + row) * width + column];
    }
}
