namespace Diffusion.Imaging;

/// <summary>A decoded picture: sRGB or gray values on [0,1], upright, with what is known about the file that it came from.</summary>
public sealed class Picture : IDisposable
{
    /// <summary>A picture from tensors, which it takes over and detaches from dispose scopes.</summary>
    /// <param name="pixels">[1,C,H,W] float32; C = 3, 1 for gray, or any number of channels without a meaning as colours.</param>
    /// <param name="alpha">[1,1,H,W] float32 coverage on [0,1], or null when opaque.</param>
    /// <exception cref="ArgumentException">Another shape or dtype.</exception>
    public Picture(Tensor pixels, Tensor? alpha = null)
    {
        if (pixels.dtype != ScalarType.Float32 || pixels.dim() != 4 || pixels.shape[0] != 1 || pixels.shape[1] < 1)
            throw new ArgumentException($"A picture is [1,C,H,W] float32, not {Shapes.Describe(pixels)}.", nameof(pixels));
        if (
            alpha is not null
            && (alpha.dtype != ScalarType.Float32 || !alpha.shape.SequenceEqual([1, 1, pixels.shape[2], pixels.shape[3]]))
        )
            throw new ArgumentException(
                $"The alpha channel of a {pixels.shape[3]}x{pixels.shape[2]} picture is [1,1,{pixels.shape[2]},{pixels.shape[3]}] "
                    + $"float32, not {Shapes.Describe(alpha)}.",
                nameof(alpha)
            );
        Pixels = pixels.DetachFromDisposeScope();
        Alpha = alpha?.DetachFromDisposeScope();
    }

    /// <summary>
    /// [1,C,H,W] float32 in sRGB coding, on [0,1]; C = 3, or 1 for gray. Float files may go beyond [0,1]. Owned by the picture.
    /// </summary>
    public Tensor Pixels { get; }

    /// <summary>[1,1,H,W] float32 coverage on [0,1] (not premultiplied); null when the file has none. Owned by the picture.</summary>
    public Tensor? Alpha { get; }

    /// <summary>Bits per sample in the file: 8, 10, 12, 16, or 32 for float.</summary>
    public int BitDepth { get; init; } = 8;

    /// <summary>
    /// What the value 1 stands for in the file's own numbers: 255 in 8 bits, 65535 in 16, 1 for float; 32767 for signed 16 bits.
    /// </summary>
    public double FullScale { get; init; } = 255;

    /// <summary>
    /// What 0 and 1 stand for in the numbers of the file, which is written in them again; null: 0 and <see cref="FullScale"/>.
    /// </summary>
    public ValueRange? Range { get; init; }

    /// <summary>The format of the file; null when the picture came from no file.</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>The file's name without folder and extension; <c>stdin</c> for standard input.</summary>
    public string Name { get; init; } = "picture";

    /// <summary>
    /// What a user may want to know about the decoding (first of several frames, unusable colour profile, ...). One sentence each, without
    /// a full stop.
    /// </summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Resolution, profile, EXIF and what else the file says besides the pixels; it is written with the picture.</summary>
    public PictureMetadata Metadata { get; init; } = PictureMetadata.None;

    /// <summary>3, or 1 for gray; others only where <see cref="ReadOptions.AnyChannels"/> asked for them.</summary>
    public int Channels => (int)Pixels.shape[1];

    /// <summary>In pixels, after the EXIF orientation.</summary>
    public int Height => (int)Pixels.shape[2];

    /// <summary>In pixels, after the EXIF orientation.</summary>
    public int Width => (int)Pixels.shape[3];

    /// <inheritdoc/>
    public void Dispose()
    {
        Pixels.Dispose();
        Alpha?.Dispose();
    }
}
