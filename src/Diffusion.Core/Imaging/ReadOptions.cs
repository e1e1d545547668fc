namespace Diffusion.Imaging;

/// <summary>How pictures are read.</summary>
public sealed record ReadOptions
{
    /// <summary>300 megapixels, colour profiles applied.</summary>
    public static ReadOptions Default { get; } = new();

    /// <summary>
    /// Pictures with more pixels are refused by their header, before anything is decoded. Guards against decompression bombs.
    /// </summary>
    public long MaxPixels
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentException($"The pixel limit must be positive, not {value}.");
    } = 300_000_000;

    /// <summary>The page or frame, counted from 1; null takes the first, with a note where there are several.</summary>
    public int? Page
    {
        get;
        init => field = value is null or > 0 ? value : throw new ArgumentException($"Pages are counted from 1, not {value}.");
    }

    /// <summary>
    /// The header and data unit of a FITS file, counted from 0; null takes the first picture, with a note where there are several.
    /// </summary>
    public int? Hdu { get; init; }

    /// <summary>Read pictures of any number of channels. False refuses those whose channels are neither gray nor RGB.</summary>
    public bool AnyChannels { get; init; }

    /// <summary>Convert pictures with an embedded colour profile to sRGB. False keeps the numbers of the file.</summary>
    public bool ApplyProfile { get; init; } = true;
}
