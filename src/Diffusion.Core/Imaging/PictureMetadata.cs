using System.Globalization;
using System.Text.RegularExpressions;

namespace Diffusion.Imaging;

/// <summary>What a file says of its picture besides the pixels, as far as it still holds for what is made of it.</summary>
public sealed record PictureMetadata
{
    /// <summary>Nothing.</summary>
    public static PictureMetadata None { get; } = new();

    /// <summary>Pixels per millimetre across and down; null where the file does not say.</summary>
    public (double Across, double Down)? Resolution { get; init; }

    /// <summary>The ICC profile that the values belong to; null: sRGB, or nobody knows.</summary>
    internal byte[]? Profile { get; init; }

    /// <summary>XMP as text.</summary>
    internal string? Xmp { get; init; }

    /// <summary>When, where, how and by whom it was taken; null where the file does not say.</summary>
    internal ExifData? Exif { get; init; }

    /// <summary>Whether it says where pixels lie, on the sky for example.</summary>
    public bool HasPlaces => Cards.Count > 0;

    /// <summary>Whether a file says of three or more channels that they are no colours.</summary>
    public bool HasPlainChannels { get; init; }

    /// <summary>Whether the first three of more channels are red, green and blue.</summary>
    internal bool HasMoreThanColors { get; init; }

    /// <summary>The description of a TIFF page: a text, or what OME, ImageJ and tifffile say of a stack.</summary>
    internal TiffDescription? Description { get; init; }

    /// <summary>Whether a TIFF file holds one channel after the other.</summary>
    internal bool Planar { get; init; }

    /// <summary>The cards of a FITS header that are no structure.</summary>
    internal IReadOnlyList<string> Cards { get; init; } = [];

    /// <summary>As it holds for a picture of another size that shows the same.</summary>
    /// <param name="from">Rows and columns of the file's picture, upright.</param>
    /// <param name="to">Rows and columns of what was made of it.</param>
    public PictureMetadata For((int Height, int Width) from, (int Height, int Width) to) => For(from, to, PixelGrid.Between(from, to));

    /// <summary>As it holds for a picture that shows the same on other pixels.</summary>
    /// <param name="from">Rows and columns of the file's picture, upright.</param>
    /// <param name="to">Rows and columns of what was made of it.</param>
    /// <param name="grid">How the file's pixels lie on those of what was made of it.</param>
    public PictureMetadata For((int Height, int Width) from, (int Height, int Width) to, PixelGrid grid)
    {
        (PixelAxis across, PixelAxis down) = (grid.Across, grid.Down);
        return this with
        {
            Resolution = Resolution is { } old ? (old.Across * across.Factor, old.Down * down.Factor) : null,
            Xmp = Xmp is null ? null : Upright(Xmp, to),
            Exif = Exif?.For(to),
            Description = Description?.For(from, to, grid),
            Cards = grid == PixelGrid.Between(from, from) ? Cards : FitsCoordinates.Move(Cards, across, down),
        };
    }

    /// <summary>What of it is lost in a file of so many pages of it; null: nothing.</summary>
    public string? LossIn(int pages) =>
        Description?.FitsPages(pages) == false
            ? $"What the file says of its {Description.Pages} pages (OME) does not hold for {pages} of them and is left out"
            : null;

    private static string Upright(string xmp, (int Height, int Width) size)
    {
        string Set(string text, string names, int value) =>
            Regex.Replace(
                text,
                $"""((?:{names})\s*(?:=\s*["']|>\s*))\d+""",
                $"${{1}}{value.ToString(CultureInfo.InvariantCulture)}",
                RegexOptions.CultureInvariant
            );
        xmp = Set(xmp, "tiff:Orientation", 1);
        xmp = Set(xmp, "tiff:ImageWidth|exif:PixelXDimension", size.Width);
        return Set(xmp, "tiff:ImageLength|tiff:ImageHeight|exif:PixelYDimension", size.Height);
    }
}
