using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>
/// Writes a file under a temporary name in the same folder, flushes and renames it: readers see the old file or the whole new one.
/// </summary>
public static class OutputFile
{
    private const int DiskFullUnix = 28,
        DiskFullWindows = unchecked((int)0x80070070);

    /// <summary>Writes <paramref name="path"/> with <paramref name="save"/>, making its folder.</summary>
    public static void Write(string path, bool overwrite, Action<Stream> save) => Translate(path, () =>
        {
            string full = Path.GetFullPath(path),
                folder = Path.GetDirectoryName(full) ?? full;
            if (Directory.Exists(full))
                throw new ImageException("This is a folder, not a file", path, "Add a file name");
            if (!overwrite && File.Exists(full))
                throw new ImageException("The file exists already", path, "Choose another name or allow overwriting");
            Directory.CreateDirectory(folder);
            string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
            try
            {
                using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16))
                {
                    save(stream);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(temporary, full, overwrite);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        });

    /// <summary>Runs a write and names its errors.</summary>
    /// <exception cref="ImageException">The file cannot be written.</exception>
    /// <exception cref="ResourceException">The disk is full.</exception>
    public static void Translate(string where, Action write)
    {
        try
        {
            write();
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ImageException(
                "The file may not be written",
                where,
                "Check the folder's permissions or choose another one",
                exception
            );
        }
        catch (IOException exception) when (exception.HResult is DiskFullUnix or DiskFullWindows)
        {
            throw new ResourceException("The disk is full", where, "Free some space or choose another folder", exception);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or NotSupportedException)
        {
            throw new ImageException("The file cannot be written", where, exception.Message.TrimEnd('.'), exception);
        }
    }
}
