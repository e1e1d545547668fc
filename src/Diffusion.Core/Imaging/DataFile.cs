using Diffusion.Arrays;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>The one reader of kernels, masks and measurements: arrays of numbers in any format, or pictures.</summary>
public static class DataFile
{
    private const int HeadLength = 4096,
        MostPages = 4096;

    /// <summary>
    /// Whether a file is read by <see cref="ArrayFile"/>: what is a picture by its content is none, and texts of numbers are told by their
    /// extension.
    /// </summary>
    /// <exception cref="ImageException">The file cannot be opened.</exception>
    public static bool IsArray(string path)
    {
        using Stream stream = ArrayFile.Open(path);
        byte[] head = new byte[HeadLength];
        int length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return FormatSniffer.Identify(head.AsSpan(0, Math.Min(length, FormatSniffer.HeadLength))).Format is null or ImageFormat.Fits
            && (
                ArrayFile.Knows(head.AsSpan(0, length))
                || Path.GetExtension(path).ToLowerInvariant() is ".txt" or ".csv" or ".tsv" or ".dat" or ".npy" or ".npz" or ".mat" or ".h5"
            );
    }

    /// <summary>Reads an array of numbers.</summary>
    /// <param name="path">
    /// An array of any format that <see cref="ArrayFile"/> knows, or a picture: then on [0,1], [rows, columns], the mean of its colours; of
    /// a picture with several pages [pages, rows, columns].
    /// </param>
    /// <param name="selection">Which of several arrays, or which page; null for the only one.</param>
    /// <exception cref="ImageException">Missing, damaged, of no known format, or several arrays and none chosen.</exception>
    public static NumericArray Read(string path, ArraySelection? selection = null)
    {
        selection ??= ArraySelection.Only;
        return IsArray(path) ? ArrayFile.Read(path, selection) : ReadPicture(path, selection);
    }

    private static NumericArray ReadPicture(string path, ArraySelection selection)
    {
        NativeLibraries.LoadTorch();
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        int pages = ImageFile.Identify(path).Frames;
        if (selection.Page is not null || pages == 1)
        {
            Tensor plane = Plane(path, selection.Page ?? 1, out int bits, out IReadOnlyList<string> notes);
            return new NumericArray(plane.MoveToOuterDisposeScope(), TypeOf(bits)) { Paged = pages > 1, Notes = notes };
        }
        if (pages > MostPages)
            throw new ImageException($"The file holds {pages} pages", path, $"Choose one with page=1 to page={pages}");
        int depth = 8;
        Tensor[] planes = [.. Enumerable.Range(1, pages).Select(p => Plane(path, p, out depth, out _))];
        if (planes.FirstOrDefault(p => !p.shape.SequenceEqual(planes[0].shape)) is not null)
            throw new ImageException($"The {pages} pages differ in size", path, $"Choose one with page=1 to page={pages}");
        return new NumericArray(torch.stack(planes).MoveToOuterDisposeScope(), TypeOf(depth));
    }

    private static Tensor Plane(string path, int page, out int bits, out IReadOnlyList<string> notes)
    {
        using Picture picture = ImageFile.Read(path, new ReadOptions { Page = page });
        (bits, notes) = (picture.BitDepth, picture.Notes);
        return picture.Pixels.to(ScalarType.Float64).mean([0L, 1L]);
    }

    private static SampleType TypeOf(int bits) =>
        bits switch
        {
            <= 8 => SampleType.UInt8,
            <= 16 => SampleType.UInt16,
            _ => SampleType.Float32,
        };
}
