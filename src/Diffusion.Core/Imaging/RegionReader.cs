using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Reads rectangles of one picture file. Coordinates and results are upright, as those of <see cref="Picture"/>.</summary>
/// <remarks>
/// TIFF is decoded where it is read. The other formats cannot be entered in the middle: the codec decodes them once, on the first read,
/// into 8 or 16 bits a sample (a temporary file when large).
/// Not for use by several threads.
/// </remarks>
public sealed class RegionReader : IDisposable
{
    private readonly PictureSource _source;

    internal RegionReader(Stream stream, string where, ReadOptions options)
    {
        NativeLibraries.LoadTorch();
        _source = new PictureSource(stream, where, options, randomAccess: true);
    }

    /// <summary>Size, channels and format.</summary>
    public PictureInfo Info => _source.Info;

    /// <summary>What a user may want to know about the decoding.</summary>
    public IReadOnlyList<string> Notes => _source.Notes;

    /// <summary>Reads a rectangle.</summary>
    /// <param name="x">Left.</param>
    /// <param name="y">Top.</param>
    /// <param name="width">Width.</param>
    /// <param name="height">Height.</param>
    /// <returns>[1,C,height,width] float32 on [0,1] without alpha; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The rectangle lies beyond the picture.</exception>
    /// <exception cref="ImageException">The file is damaged there.</exception>
    public Tensor Read(int x, int y, int width, int height)
    {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x + (long)width > Info.Width || y + (long)height > Info.Height)
            throw new ArgumentException(
                $"The rectangle {width}x{height}+{x}+{y} lies beyond the picture of {Info.Width}x{Info.Height} pixels."
            );
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        // Two opposite corners in the file; orientation maps rectangles to rectangles.
        (int x1, int y1) = Orientation.Stored(x, y, _source.StoredWidth, _source.StoredHeight, _source.Exif);
        (int x2, int y2) = Orientation.Stored(x + width - 1, y + height - 1, _source.StoredWidth, _source.StoredHeight, _source.Exif);
        Tensor stored = _source.Read(Math.Min(x1, x2), Math.Min(y1, y2), Math.Abs(x2 - x1) + 1, Math.Abs(y2 - y1) + 1);
        Tensor upright = Orientation.Upright(stored, _source.Exif);
        Tensor pixels = _source.HasAlpha ? upright.narrow(1, 0, _source.Channels).clone() : upright;
        return pixels.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
