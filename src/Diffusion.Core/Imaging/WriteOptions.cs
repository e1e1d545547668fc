namespace Diffusion.Imaging;

/// <summary>How pictures are written.</summary>
public sealed record WriteOptions
{
    /// <summary>8 bits, lossless where the format can be, existing files replaced.</summary>
    public static WriteOptions Default { get; } = new();

    /// <summary>The format; null takes it from the extension.</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>
    /// Bits per sample: 8, 16, or 32 for float (TIFF only). Null takes the picture's own, or 8. A format that holds fewer stores what it
    /// can (AVIF: 12).
    /// </summary>
    public int? BitDepth
    {
        get;
        init =>
            field = value is null or 8 or 16 or 32
                ? value
                : throw new ArgumentException($"The bit depth must be 8, 16 or 32, not {value}.");
    }

    /// <summary>1 to 100 for JPEG, WebP and AVIF. Null: JPEG 95, AVIF 90, WebP lossless.</summary>
    public int? Quality
    {
        get;
        init =>
            field = value is null or (>= 1 and <= 100) ? value : throw new ArgumentException($"The quality must be 1 to 100, not {value}.");
    }

    /// <summary>What is said of the picture besides its pixels; null takes the picture's own.</summary>
    public PictureMetadata? Metadata { get; init; }

    /// <summary>Replace a file that exists. False makes that an error.</summary>
    public bool Overwrite { get; init; } = true;
}
