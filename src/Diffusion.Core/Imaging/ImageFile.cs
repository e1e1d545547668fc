using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Reads and writes PNG, JPEG, WebP, TIFF and AVIF.</summary>
/// <remarks>
/// Content decides the format, not the extension. Reading applies the EXIF orientation and converts embedded profiles and CMYK to sRGB;
/// gray stays one channel; alpha is kept beside.
/// <code>
/// using Picture photo = ImageFile.Read("photo.jpg");
/// using Tensor small = Resize.Matlab(photo.Pixels, 1, 4);
/// ImageFile.Write("small.png", small, new WriteOptions { BitDepth = 16 });
/// </code>
/// Nothing is allocated for a picture beyond the pixel limit. Writing goes to a temporary name in the same folder, which is renamed when
/// complete.
/// </remarks>
public static class ImageFile
{
    /// <summary>The path that stands for standard input.</summary>
    public const string Standard = "-";

    /// <summary>The version of the codec library.</summary>
    public static string CodecVersion => Codecs.Version;

    /// <summary>Reads a picture.</summary>
    /// <param name="path">A file, or <c>-</c> for standard input.</param>
    /// <param name="options">Pixel limit and colour handling; null for the defaults.</param>
    /// <exception cref="ImageException">
    /// The file is missing, empty, truncated, too large, or no picture in one of the five formats.
    /// </exception>
    public static Picture Read(string path, ReadOptions? options = null)
    {
        if (path != Standard)
            return Decode(Open(path), path, NameOf(path), options);
        using Stream input = System.Console.OpenStandardInput();
        return Read(input, "stdin", options);
    }

    /// <summary>Reads a picture from a stream, to its end.</summary>
    /// <param name="stream">Borrowed; need not be seekable.</param>
    /// <param name="name">How the picture and error messages call it.</param>
    /// <param name="options">Pixel limit and colour handling; null for the defaults.</param>
    /// <exception cref="ImageException">As for files.</exception>
    public static Picture Read(Stream stream, string name = "stdin", ReadOptions? options = null)
    {
        MemoryStream memory = new();
        try
        {
            stream.CopyTo(memory);
        }
        catch (IOException exception)
        {
            throw new ImageException("The picture cannot be read to its end", name, exception.Message.TrimEnd('.'), exception);
        }
        memory.Position = 0;
        return Decode(memory, name, name, options);
    }

    /// <summary>Reads a picture's header: size, channels, format.</summary>
    /// <exception cref="ImageException">As for <see cref="Read(string, ReadOptions?)"/>, except for damage beyond the header.</exception>
    public static PictureInfo Identify(string path, ReadOptions? options = null)
    {
        using PictureSource source = new(Open(path), path, options ?? ReadOptions.Default, randomAccess: false);
        return source.Info;
    }

    /// <summary>Opens a picture for reading rectangles of it, so that a very large one never lies in memory as a whole tensor.</summary>
    /// <exception cref="ImageException">As for <see cref="Read(string, ReadOptions?)"/>, except for damage beyond the header.</exception>
    public static RegionReader OpenRegions(string path, ReadOptions? options = null) =>
        new(Open(path), path, options ?? ReadOptions.Default);

    /// <summary>Writes a tensor.</summary>
    /// <param name="path">
    /// The extension decides the format unless <see cref="WriteOptions.Format"/> does. The folder is made when missing. <c>-</c> is
    /// standard output, PNG by default.
    /// </param>
    /// <param name="pixels">
    /// [1,C,H,W] or [C,H,W] on [0,1], C = 3 or 1; clipped and rounded to the nearest value, except in float files.
    /// </param>
    /// <param name="options">Bit depth and quality; null for 8 bits, lossless where possible.</param>
    /// <param name="alpha">[1,1,H,W] coverage on [0,1]. JPEG has none: there the picture is laid on white.</param>
    /// <exception cref="ImageException">The folder cannot be written, the format is unknown or cannot hold the picture.</exception>
    /// <exception cref="ResourceException">The disk is full.</exception>
    /// <exception cref="ArgumentException">The tensor is no picture.</exception>
    public static void Write(string path, Tensor pixels, WriteOptions? options = null, Tensor? alpha = null)
    {
        options ??= WriteOptions.Default;
        if (path == Standard)
        {
            using Stream output = System.Console.OpenStandardOutput();
            Write(output, pixels, options.Format ?? ImageFormat.Png, options, alpha);
            return;
        }
        ImageFormat format = FormatOf(path, options);
        using IEncodedPicture encoded = Encode([(pixels, alpha, options.Metadata)], format, options, path);
        OutputFile.Write(path, options.Overwrite, encoded.Save);
    }

    /// <summary>Writes a picture with its alpha channel, at its own bit depth unless the options name one.</summary>
    /// <inheritdoc cref="Write(string, Tensor, WriteOptions?, Tensor?)"/>
    public static void Write(string path, Picture picture, WriteOptions? options = null)
    {
        options = WithDepth(options, picture);
        ImageFormat? format = options.Format ?? ImageFormats.FromExtension(path);
        using Tensor values = InItsRange(picture, format, format?.StoredBits(options.BitDepth ?? 8) ?? 8);
        Write(path, values, options, picture.Alpha);
    }

    /// <summary>Writes a picture to a stream, at its own bit depth unless the options name one.</summary>
    /// <inheritdoc cref="Write(Stream, Tensor, ImageFormat, WriteOptions?, Tensor?)"/>
    public static void Write(Stream stream, Picture picture, ImageFormat format, WriteOptions? options = null)
    {
        options = WithDepth(options, picture);
        using Tensor values = InItsRange(picture, format, format.StoredBits(options.BitDepth ?? 8));
        Write(stream, values, format, options, picture.Alpha);
    }

    /// <summary>Writes a tensor to a stream (standard output, a socket, memory).</summary>
    /// <param name="stream">Borrowed; need not be seekable.</param>
    /// <param name="pixels">[1,C,H,W] or [C,H,W] on [0,1], as for files; borrowed.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">Bit depth and quality.</param>
    /// <param name="alpha">As for files.</param>
    /// <exception cref="ImageException">The format cannot hold the picture, or the stream refused it.</exception>
    public static void Write(Stream stream, Tensor pixels, ImageFormat format, WriteOptions? options = null, Tensor? alpha = null)
    {
        using IEncodedPicture encoded = Encode(
            [(pixels, alpha, options?.Metadata)],
            format,
            options ?? WriteOptions.Default,
            "output stream"
        );
        // TIFF goes back to its header when it is done: encode in memory, then copy.
        using MemoryStream memory = new();
        encoded.Save(memory);
        memory.Position = 0;
        OutputFile.Translate("output stream", () =>
        {
            memory.CopyTo(stream);
            stream.Flush();
        });
    }

    /// <summary>Writes pictures as the pages of one file: TIFF, or FITS as the planes of a cube.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pages">At least one; borrowed. The first one's depth holds for all.</param>
    /// <param name="options">As for one picture.</param>
    /// <exception cref="ImageException">The format has no pages, or the file cannot be written.</exception>
    /// <exception cref="ResourceException">The disk is full.</exception>
    public static void Write(string path, IReadOnlyList<Picture> pages, WriteOptions? options = null)
    {
        if (pages.Count == 1)
        {
            Write(path, pages[0], options);
            return;
        }
        options = WithDepth(options, pages[0]);
        ImageFormat format = FormatOf(path, options);
        Tensor[] values = [.. pages.Select(page => InItsRange(page, format, format.StoredBits(options.BitDepth ?? 8)))];
        try
        {
            using IEncodedPicture encoded = Encode(
                [.. pages.Zip(values, (page, value) => (value, page.Alpha, (PictureMetadata?)page.Metadata))],
                format,
                options,
                path
            );
            OutputFile.Write(path, options.Overwrite, encoded.Save);
        }
        finally
        {
            foreach (Tensor value in values)
                value.Dispose();
        }
    }

    /// <summary>Refuses what a format cannot hold.</summary>
    /// <param name="format">The format.</param>
    /// <param name="pages">Pictures in one file.</param>
    /// <param name="channels">Channels of each.</param>
    /// <param name="where">The file.</param>
    /// <exception cref="ImageException">Only TIFF and FITS hold that.</exception>
    public static void CheckHolds(ImageFormat format, int pages, int channels, string where)
    {
        if (format is ImageFormat.Tiff or ImageFormat.Fits || (pages == 1 && channels is 1 or 3))
            return;
        throw new ImageException(
            pages > 1
                ? $"{format.DisplayName()} holds one picture, not {pages}"
                : $"{format.DisplayName()} holds 1 or 3 channels, not {channels}",
            where,
            "Write TIFF or FITS"
        );
    }

    private static ImageFormat FormatOf(string path, WriteOptions options) =>
        options.Format
        ?? ImageFormats.FromExtension(path)
        ?? throw new ImageException(
            $"\"{Path.GetExtension(path)}\" is no picture format",
            path,
            "Use .png, .jpg, .webp, .tif, .avif or .fits"
        );

    private static IEncodedPicture Encode(
        IReadOnlyList<(Tensor Pixels, Tensor? Alpha, PictureMetadata? Metadata)> pages,
        ImageFormat format,
        WriteOptions options,
        string where
    )
    {
        (Tensor pixels, Tensor? alpha, _) = pages[0];
        PictureShape.Check(pixels, alpha);
        CheckHolds(format, pages.Count, (int)pixels.shape[^3], where);
        return format is ImageFormat.Fits or ImageFormat.Tiff
            ? new EncodedPages(
                [.. pages.Select(page => new TiffPage(page.Pixels, page.Alpha, page.Metadata ?? PictureMetadata.None))],
                format,
                format.StoredBits(options.BitDepth ?? 8),
                where
            )
            : new EncodedPicture(pixels, alpha, format, options, where);
    }

    private static WriteOptions WithDepth(WriteOptions? options, Picture picture)
    {
        options ??= WriteOptions.Default;
        return options with
        {
            Metadata = options.Metadata ?? picture.Metadata,
            BitDepth = options.BitDepth
                ?? picture.BitDepth switch
                {
                    <= 8 => 8,
                    <= 16 => 16,
                    _ => 32,
                },
        };
    }

    // Floats are the file's own numbers again. Integers have its scale where it held integers; of a float file they show its range.
    private static Tensor InItsRange(Picture picture, ImageFormat? format, int bits)
    {
        using IDisposable noGrad = torch.no_grad();
        const int Float = 32;
        double full = picture.FullScale;
        double largest = Math.Pow(2, bits) - 1;
        // FITS holds numbers, and so does TIFF where they are signed, and what has a range: what was 300 is 300 again.
        bool ownNumbers =
            full > 1
            && (bits == Float || (picture.Range?.White ?? full) <= largest)
            && (
                format == ImageFormat.Fits
                || picture.Range is not null
                || (format == ImageFormat.Tiff && full is sbyte.MaxValue or short.MaxValue)
            );
        if (picture.Range is null && !ownNumbers)
            return picture.Pixels.alias();
        // A float file's range, or numbers that are too large, are shown from black to white.
        if (bits != Float && (full == 1 || !ownNumbers))
            return picture.Pixels.alias();
        ValueRange range = picture.Range ?? new ValueRange(0, full);
        double scale = bits == Float ? 1 : 1 / largest;
        using DisposeScope scope = torch.NewDisposeScope();
        return (picture.Pixels * ((range.White - range.Black) * scale) + range.Black * scale).MoveToOuterDisposeScope();
    }

    private static Picture Decode(Stream stream, string where, string name, ReadOptions? options)
    {
        NativeLibraries.LoadTorch();
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        using PictureSource source = new(stream, where, options ?? ReadOptions.Default, randomAccess: false);
        Tensor bands = Orientation.Upright(source.Read(0, 0, source.StoredWidth, source.StoredHeight), source.Exif);
        Tensor pixels = source.HasAlpha ? bands.narrow(1, 0, source.Channels).contiguous() : bands;
        // narrow().contiguous() may return a view of the same storage for one band: clone so that pixels and alpha stand alone.
        Tensor? alpha = source.HasAlpha ? bands.narrow(1, source.Channels, 1).clone() : null;
        return new Picture(pixels, alpha)
        {
            BitDepth = source.BitDepth,
            FullScale = source.FullScale,
            Format = source.Format,
            Name = name,
            Notes = source.Notes,
            Metadata = source.Metadata,
        };
    }

    private static FileStream Open(string path)
    {
        if (Directory.Exists(path))
            throw new ImageException("This is a folder, not a picture", path, "Name a file in it");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException("There is no such file", path, "Check the path", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ImageException("The file may not be read", path, "Check its permissions", exception);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or NotSupportedException)
        {
            throw new ImageException("The file cannot be opened", path, exception.Message.TrimEnd('.'), exception);
        }
    }

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path) is { Length: > 0 } name ? name : "picture";
}
