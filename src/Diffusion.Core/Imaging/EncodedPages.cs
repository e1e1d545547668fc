using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>One or several pictures in a format that needs no codec library: FITS or TIFF.</summary>
internal sealed class EncodedPages : IEncodedPicture
{
    private readonly IReadOnlyList<TiffPage> _pages;
    private readonly ImageFormat _format;
    private readonly int _bits;
    private readonly string _where;

    /// <summary>Checks that the format can hold them.</summary>
    /// <param name="pages">At least one; borrowed.</param>
    /// <param name="format">FITS or TIFF.</param>
    /// <param name="bits">8, 16 or 32.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">Pages of a FITS cube differ in shape.</exception>
    public EncodedPages(IReadOnlyList<TiffPage> pages, ImageFormat format, int bits, string where)
    {
        (_pages, _format, _bits, _where) = (pages, format, bits, where);
        NativeLibraries.LoadTorch();
        foreach (TiffPage page in pages)
            PictureShape.Check(page.Pixels, page.Alpha);
        if (format == ImageFormat.Fits && pages.Any(page => !page.Pixels.shape[^2..].SequenceEqual(pages[0].Pixels.shape[^2..])))
            throw new ImageException("The planes of a FITS cube are of one size, but these differ", where, "Write TIFF");
    }

    /// <inheritdoc/>
    public void Save(Stream stream)
    {
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        TiffPage[] pages =
        [
            .. _pages.Select(page =>
                page with
                {
                    Pixels = page.Pixels.reshape(page.Pixels.shape[^3..]).detach().cpu(),
                    Alpha = page.Alpha?.reshape(1, page.Alpha.shape[^2], page.Alpha.shape[^1]).detach().cpu(),
                }
            ),
        ];
        // FITS has no coverage, and its values are data: they stay as they are.
        if (_format == ImageFormat.Fits)
            FitsWriter.Write(stream, torch.cat([.. pages.Select(page => page.Pixels)]), _bits, pages[0].Metadata.Cards);
        else
            TiffWriter.Write(stream, pages, _bits, _where);
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
