using System.IO.Compression;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>A page to be written.</summary>
/// <param name="Pixels">[C,H,W] float32 on [0,1], on the processor; borrowed.</param>
/// <param name="Alpha">[1,H,W] or null; borrowed.</param>
/// <param name="Metadata">What is said of it.</param>
internal sealed record TiffPage(Tensor Pixels, Tensor? Alpha, PictureMetadata Metadata);

/// <summary>
/// Writes TIFF files: pages, channels of any number and meaning, what is said besides. Deflate in strips, integers predicted from their
/// neighbours, floats as they are, because what predicts those is not read everywhere.
/// </summary>
internal static class TiffWriter
{
    private const int StripBytes = 1 << 18;
    private const long LargestClassic = 3_500_000_000;

    /// <summary>Writes pages.</summary>
    /// <param name="stream">Seekable, at its beginning.</param>
    /// <param name="pages">At least one.</param>
    /// <param name="bits">8, 16 or 32 for float.</param>
    /// <param name="where">For error messages.</param>
    public static void Write(Stream stream, IReadOnlyList<TiffPage> pages, int bits, string where)
    {
        using IDisposable noGrad = torch.no_grad();
        long bytes = pages.Sum(page => (page.Pixels.numel() + (page.Alpha?.numel() ?? 0)) * (bits / 8));
        TiffDirectoryWriter directories = new(stream, isBig: bytes > LargestClassic);
        for (int i = 0; i < pages.Count; i++)
        {
            TiffPage page = pages[i];
            List<TiffField> fields = [.. Layout(page, bits), .. Said(page, directories)];
            if (page.Metadata.Description is { } description && (i == 0 || !description.OfStack))
            {
                fields.RemoveAll(field => field.Tag == TiffTag.Description);
                if (description.TextFor(pages.Count, bits, bytes / (bits / 8)) is { } text)
                    fields.Add(TiffField.Text(TiffTag.Description, text));
            }

            Strips(stream, page, bits, where, out long[] offsets, out long[] lengths, out int rows);
            fields.AddRange([
                TiffField.Whole(TiffTag.RowsPerStrip, rows),
                directories.Places(TiffTag.StripOffsets, offsets),
                directories.Places(TiffTag.StripByteCounts, lengths),
            ]);
            if (pages.Count > 1)
                fields.Add(TiffField.Whole(TiffTag.SubfileType, 2));
            directories.Write(fields);
        }
    }

    private static List<TiffField> Layout(TiffPage page, int bits)
    {
        (int channels, int height, int width) = ((int)page.Pixels.shape[0], (int)page.Pixels.shape[1], (int)page.Pixels.shape[2]);
        bool rgb = channels == 3 ? !page.Metadata.HasPlainChannels : channels > 3 && page.Metadata.HasMoreThanColors;
        int samples = channels + (page.Alpha is null ? 0 : 1);
        const int Unassociated = 2,
            MeaningUnknown = 0;
        List<TiffField> fields =
        [
            TiffField.Whole(TiffTag.Width, width),
            TiffField.Whole(TiffTag.Height, height),
            TiffField.Shorts(TiffTag.BitsPerSample, Enumerable.Repeat(bits, samples)),
            TiffField.Shorts(TiffTag.Compression, [8]),
            TiffField.Shorts(TiffTag.Photometric, [rgb ? TiffLayout.Rgb : TiffLayout.Black]),
            TiffField.Shorts(TiffTag.SamplesPerPixel, [samples]),
            TiffField.Shorts(TiffTag.PlanarConfiguration, [page.Metadata.Planar && samples > 1 ? 2 : 1]),
            TiffField.Shorts(TiffTag.SampleFormat, Enumerable.Repeat(bits == 32 ? (int)TiffSamples.Float : 1, samples)),
        ];
        if (bits != 32)
            fields.Add(TiffField.Shorts(TiffTag.Predictor, [2]));
        int[] extra = [.. Enumerable.Repeat(MeaningUnknown, channels - (rgb ? 3 : 1)), .. page.Alpha is null ? [] : (int[])[Unassociated]];
        if (extra.Length > 0)
            fields.Add(TiffField.Shorts(TiffTag.ExtraSamples, extra));
        return fields;
    }

    private static IEnumerable<TiffField> Said(TiffPage page, TiffDirectoryWriter directories)
    {
        PictureMetadata metadata = page.Metadata;
        const int NoUnit = 1,
            Inch = 2;
        (double across, double down) = metadata.Resolution is { } known ? (known.Across * 25.4, known.Down * 25.4) : (1, 1);
        yield return TiffField.Rational(TiffTag.ResolutionX, across);
        yield return TiffField.Rational(TiffTag.ResolutionY, down);
        yield return TiffField.Shorts(TiffTag.ResolutionUnit, [metadata.Resolution is null ? NoUnit : Inch]);
        foreach (TiffField field in metadata.Exif?.Fields(directories) ?? [])
            yield return field;
        if (metadata.Xmp is { } xmp)
            yield return TiffField.Bytes(TiffTag.Xmp, Encoding.UTF8.GetBytes(xmp));
        if (metadata.Profile is { } profile && ColorProfile.Fits(profile, (int)page.Pixels.shape[0]))
            yield return TiffField.Bytes(TiffTag.IccProfile, profile);
    }

    private static void Strips(Stream stream, TiffPage page, int bits, string where, out long[] offsets, out long[] lengths, out int rows)
    {
        Tensor[] all = page.Alpha is null ? [page.Pixels] : [page.Pixels, page.Alpha];
        bool planar = page.Metadata.Planar && all.Sum(part => part.shape[0]) > 1;
        // Each entry is what one strip holds of a pixel: all samples, or a single one.
        Tensor[][] groups = planar ? [.. all.SelectMany(part => part.split(1, 0)).Select(plane => new[] { plane })] : [all];
        (long height, long width) = (page.Pixels.shape[1], page.Pixels.shape[2]);
        long rowBytes = width * groups[0].Sum(part => part.shape[0]) * (bits / 8);
        rows = (int)Math.Clamp(StripBytes / rowBytes, 1, height);
        List<long> starts = [],
            sizes = [];
        foreach (Tensor[] group in groups)
            for (long top = 0; top < height; top += rows)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                long count = Math.Min(rows, height - top);
                Tensor strip = torch.cat([.. group.Select(part => part.narrow(1, top, count))], 0).permute(1, 2, 0);
                Tensor samples = Samples.Of(strip.to(ScalarType.Float32), bits, where);
                if (bits != 32)
                    samples = torch.cat([samples.narrow(1, 0, 1), samples.diff(1, 1)], 1);
                starts.Add(stream.Position);
                using (ZLibStream deflate = new(stream, CompressionLevel.Optimal, leaveOpen: true))
                    deflate.Write(samples.contiguous().bytes);
                sizes.Add(stream.Position - starts[^1]);
            }
        (offsets, lengths) = ([.. starts], [.. sizes]);
    }
}
