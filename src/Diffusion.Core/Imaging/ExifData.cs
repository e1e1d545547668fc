namespace Diffusion.Imaging;

/// <summary>
/// EXIF: a TIFF file of texts and numbers without pixels, which cameras put into pictures of any format. In TIFF pictures it stands in the
/// page's own directory and in two inner ones.
/// </summary>
internal sealed class ExifData
{
    // What lies at places that change, or repeats what is known otherwise.
    private static readonly TiffTag[] NotCopied = [TiffTag.MakerNote, TiffTag.Interoperability],
        Inner = [TiffTag.ExifDirectory, TiffTag.GpsDirectory],
        Kept = [TiffTag.Description, TiffTag.Make, TiffTag.Model, TiffTag.Software, TiffTag.DateTime, TiffTag.Artist, TiffTag.Copyright];

    // Types of BigTIFF, and places in the file.
    private const int LastPlainType = 12;

    private readonly byte[] _file;

    private ExifData(byte[] file) => _file = file;

    private static ReadOnlySpan<byte> Prefix => "Exif\0\0"u8;

    /// <summary>As it stands in JPEG files.</summary>
    public byte[] Bytes => [.. Prefix, .. _file];

    /// <summary>Whether it says how many pixels lie in an inch or a centimetre.</summary>
    public bool HasResolution => Open(_file).Has(TiffTag.ResolutionX);

    /// <summary>That of a JPEG, PNG, WebP or AVIF file; null where it makes no sense.</summary>
    public static ExifData? Of(byte[]? block)
    {
        byte[] file = block is not null && block.AsSpan().StartsWith(Prefix) ? block[Prefix.Length..] : block ?? [];
        return TiffDirectory.Read(new MemoryStream(file), 1) is null ? null : new ExifData(file);
    }

    /// <summary>That of a TIFF page; null where it says nothing.</summary>
    /// <exception cref="InvalidDataException">It lies beyond the file.</exception>
    public static ExifData? Of(TiffDirectory page, bool withDescription)
    {
        MemoryStream file = new();
        TiffDirectoryWriter writer = new(file, isBig: false);
        TiffField[] fields = [.. Copy(page, writer).Where(field => withDescription || field.Tag != TiffTag.Description)];
        if (fields.Length == 0)
            return null;
        writer.Write(fields);
        return new ExifData(file.ToArray());
    }

    /// <summary>The fields of a TIFF page; what belongs into inner directories is written at once.</summary>
    public IEnumerable<TiffField> Fields(TiffDirectoryWriter writer) => Copy(Open(_file), writer);

    /// <summary>As it holds for an upright picture of another size.</summary>
    public ExifData For((int Height, int Width) size)
    {
        byte[] file = [.. _file];
        TiffDirectory page = Open(file);
        page.Overwrite(TiffTag.Orientation, 1);
        foreach (TiffDirectory photo in page.Inner(TiffTag.ExifDirectory))
        {
            photo.Overwrite(TiffTag.PixelsAcross, size.Width);
            photo.Overwrite(TiffTag.PixelsDown, size.Height);
        }
        return new ExifData(file);
    }

    private static TiffDirectory Open(byte[] file) => TiffDirectory.Read(new MemoryStream(file), 1)!;

    private static List<TiffField> Copy(TiffDirectory page, TiffDirectoryWriter writer)
    {
        List<TiffField> fields = [.. page.Fields().Where(field => Kept.Contains(field.Tag))];
        foreach (TiffTag tag in Inner)
        foreach (TiffDirectory inner in page.Inner(tag).Take(1))
        {
            TiffField[] inside = [.. inner.Fields().Where(field => !NotCopied.Contains(field.Tag) && field.Type <= LastPlainType)];
            if (inside.Length > 0)
                fields.Add(writer.Inner(tag, inside));
        }
        return fields;
    }
}
