using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>
/// Reads arrays of numbers: NumPy's .npy and .npz, MATLAB's .mat of any version since 5, HDF5, FITS, and texts of numbers. Content decides
/// the format. Big and little endian, C and Fortran order, integers, floats and complex numbers of any width that NumPy has.
/// </summary>
/// <remarks>
/// <code>
/// using NumericArray kspace = ArrayFile.Read("kspace.npz", new ArraySelection { Key = "y" });
/// </code>
/// Nothing in a file is executed, and nothing is allocated for a size that is merely claimed.
/// </remarks>
public static class ArrayFile
{
    private const int HeadLength = 4096;

    /// <summary>Whether a file begins like one of the formats that are no text.</summary>
    /// <param name="head">The first bytes, 4096 where the file has so many.</param>
    public static bool Knows(ReadOnlySpan<byte> head) => FormatOf(head) != null;

    /// <summary>Reads one array.</summary>
    /// <param name="path">The file.</param>
    /// <param name="selection">Which of several; null for the only one.</param>
    /// <exception cref="ImageException">Missing, damaged, of another format, or several arrays and none chosen.</exception>
    public static NumericArray Read(string path, ArraySelection? selection = null)
    {
        using Stream stream = Open(path);
        return Read(stream, path, selection);
    }

    /// <summary>Reads one array from a stream that can seek.</summary>
    /// <param name="stream">Borrowed.</param>
    /// <param name="where">How error messages call it.</param>
    /// <param name="selection">Which of several; null for the only one.</param>
    /// <exception cref="ImageException">As for files.</exception>
    public static NumericArray Read(Stream stream, string where, ArraySelection? selection = null)
    {
        NativeLibraries.LoadTorch();
        selection ??= ArraySelection.Only;
        byte[] head = new byte[HeadLength];
        int length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        if (length == 0)
            throw new ImageException("The file is empty (zero bytes)", where, "Copy or write it again");
        Format? format = FormatOf(head.AsSpan(0, length));
        if (format is null && head.AsSpan(0, length).IndexOfAnyInRange((byte)0, (byte)8) >= 0)
            throw new ImageException(
                "This is no array of numbers",
                where,
                "Give .npy, .npz, .mat, .h5, .fits, a text of numbers, or a picture"
            );
        return format switch
        {
            Format.Npy => NpyFormat.Read(stream, where),
            Format.Npz => NpyFormat.ReadZip(stream, selection.Key, where),
            Format.Mat => MatFormat.Read(stream, selection, where),
            Format.Hdf5 => Hdf5Format.Read(stream, selection, where),
            Format.Fits => FitsFormat.Read(stream, selection.Hdu, where),
            _ => TextFormat.Read(stream, where),
        };
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="ImageException">It is missing, a folder, or may not be read.</exception>
    internal static FileStream Open(string path)
    {
        if (Directory.Exists(path))
            throw new ImageException("This is a folder, not a file", path, "Name a file in it");
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

    private enum Format
    {
        Npy,
        Npz,
        Mat,
        Hdf5,
        Fits,
    }

    private static Format? FormatOf(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith(NpyFormat.Magic))
            return Format.Npy;
        if (head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8))
            return Format.Npz;
        if (head.StartsWith(FitsFormat.Magic))
            return Format.Fits;
        for (int at = 0; at + Hdf5Format.Magic.Length <= head.Length; at = at == 0 ? 512 : 2 * at)
        {
            if (head[at..].StartsWith(Hdf5Format.Magic))
                return Format.Hdf5;
        }
        return head.StartsWith(MatFormat.Magic) ? Format.Mat : null;
    }
}
