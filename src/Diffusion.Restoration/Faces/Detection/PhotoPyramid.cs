using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>A photograph at all scales: squares of it are sampled where about one pixel in comes to one pixel out.</summary>
/// <remarks>
/// Halved copies are kept up to <see cref="MaxPixels"/>; what is finer is read from the photograph, region by region, so that
/// memory does not grow
/// with its size.
/// </remarks>
internal sealed class PhotoPyramid : IDisposable
{
    /// <summary>The largest copy that is kept.</summary>
    public const long MaxPixels = 8 << 20;

    private const int SmallestSide = 32,
        StripPixels = 1 << 22;

    private readonly Func<int, int, int, int, Tensor> _read;
    private readonly Dictionary<int, Tensor> _halved = [];

    private PhotoPyramid(int width, int height, Func<int, int, int, int, Tensor> read)
    {
        (Width, Height, _read) = (width, height, read);
        int finest = 0;
        while ((long)(width >> finest) * (height >> finest) > MaxPixels && Math.Min(width, height) >> (finest + 1) > 0)
            finest++;
        _halved[finest] = Shrink(finest);
        int k = finest;
        while (Math.Min(width, height) >> (k + 1) >= SmallestSide)
        {
            _halved[k + 1] = torch.nn.functional.avg_pool2d(_halved[k], 2, 2).DetachFromDisposeScope();
            k++;
        }
        (Finest, Coarsest) = (finest, k);
    }

    /// <summary>Of the photograph.</summary>
    public int Width { get; }

    /// <summary>Of the photograph.</summary>
    public int Height { get; }

    private int Finest { get; }

    private int Coarsest { get; }

    /// <summary>
    /// The pyramid of a picture in memory, [1,C,H,W] float32 on [0,1], C = 3 or 1; borrowed while the pyramid lives.
    /// </summary>
    public static PhotoPyramid Of(Tensor picture)
    {
        using ComputeScope scope = new();
        return new PhotoPyramid((int)picture.shape[3], (int)picture.shape[2], (x, y, width, height) =>
            picture.narrow(2, y, height).narrow(3, x, width)
        );
    }

    /// <summary>The pyramid of a file; the reader is borrowed while the pyramid lives.</summary>
    public static PhotoPyramid Of(RegionReader reader)
    {
        using ComputeScope scope = new();
        return new PhotoPyramid(reader.Info.Width, reader.Info.Height, reader.Read);
    }

    /// <summary>Samples [1,3,height,width] on [0,1]; the caller owns it.</summary>
    /// <param name="view">From the sample to the photograph.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="edge">Beyond the photograph.</param>
    public Tensor Sample(Affine view, int height, int width, WarpEdge edge)
    {
        using ComputeScope scope = new();
        int k = Math.Clamp((int)Math.Floor(Math.Log2(view.Scale) + 1e-9), 0, Coarsest);
        if (k >= Finest)
            return scope.Return(Warp.Bilinear(_halved[k], view.Then(Reduced(k, 0, 0)), height, width, edge));
        (double X, double Y)[] corners = [view.Apply(0, 0), view.Apply(width, 0), view.Apply(0, height), view.Apply(width, height)];
        (int left, int right) = Span(corners.Min(c => c.X), corners.Max(c => c.X), Width, 1 << k);
        (int top, int bottom) = Span(corners.Min(c => c.Y), corners.Max(c => c.Y), Height, 1 << k);
        Tensor region = Halve(Rgb(_read(left, top, right - left, bottom - top)), k);
        return scope.Return(Warp.Bilinear(region, view.Then(Reduced(k, left, top)), height, width, edge));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor copy in _halved.Values)
            copy.Dispose();
    }

    private static Affine Reduced(int k, double left, double top)
    {
        double factor = 1.0 / (1 << k);
        return new Affine(factor, 0, -left * factor, 0, factor, -top * factor);
    }

    /// <summary>
    /// The whole cells of 2^k pixels about an interval, within the photograph. An interval beyond it becomes its nearest cells.
    /// </summary>
    private static (int First, int End) Span(double from, double to, int size, int cell)
    {
        int cells = Math.Max(1, size / cell);
        int first = (int)Math.Clamp(Math.Floor(from / cell) - 1, 0, cells - 1),
            end = (int)Math.Clamp(Math.Ceiling(to / cell) + 1, first + 1, cells);
        return (first * cell, Math.Min(size, end == cells ? size : end * cell));
    }

    private static Tensor Halve(Tensor picture, int k) => k == 0 ? picture : torch.nn.functional.avg_pool2d(picture, 1 << k, 1 << k);

    private static Tensor Rgb(Tensor picture) => picture.shape[1] == 1 ? picture.expand(1, 3, -1, -1) : picture;

    private Tensor Shrink(int k)
    {
        int rows = Math.Max(1, StripPixels / Width >> k) << k,
            usable = k == 0 ? Height : Height >> k << k;
        List<Tensor> strips = [];
        for (int y = 0; y < usable; y += rows)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int height = Math.Min(rows, usable - y);
            strips.Add(Halve(Rgb(_read(0, y, Width, height)), k).clone().MoveToOuterDisposeScope());
        }
        return torch.cat(strips, 2).DetachFromDisposeScope();
    }
}
