using Diffusion.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Diffusion.Checkpoints;

/// <summary>
/// A file opened for positioned reads. Not mapped into memory: a mapped file that shrinks kills the process, here it is an error.
/// </summary>
internal sealed class CheckpointFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <summary>Opens <paramref name="path"/>.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it cannot be read.</exception>
    public CheckpointFile(string path)
    {
        Path = path;
        if (Directory.Exists(path))
            throw new CheckpointException("This is a folder, not a checkpoint file", path, "Name the weight file inside it");
        try
        {
            _handle = File.OpenHandle(path, options: FileOptions.RandomAccess);
            Length = RandomAccess.GetLength(_handle);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException("There is no such checkpoint file", path, "Check the path", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CheckpointException($"The checkpoint cannot be opened: {e.Message.TrimEnd('.')}", path, inner: e);
        }
    }

    /// <summary>The path as given.</summary>
    public string Path { get; }

    /// <summary>Length in bytes when it was opened.</summary>
    public long Length { get; }

    /// <summary>
    /// The bytes from <paramref name="offset"/>, which must lie inside the file: nothing is allocated for a length that is merely claimed.
    /// </summary>
    public byte[] ReadBytes(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > Length - count || count > Array.MaxLength)
            throw new CheckpointException(
                $"{count} bytes at {offset} lie beyond the end of the file",
                Path,
                "It is truncated or damaged; fetch it again"
            );
        byte[] bytes = new byte[count];
        using FileSlice slice = new(this, offset, count);
        slice.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The error of a file that became shorter than it was when it was opened.</summary>
    public CheckpointException EndsEarly() =>
        new("The file ends in the middle of its data", Path, "It was changed while being read; fetch it again");

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>Reads what is there, up to the length of <paramref name="destination"/>; 0 at the end of the file.</summary>
    public int ReadSome(long offset, Span<byte> destination)
    {
        try
        {
            return RandomAccess.Read(_handle, destination, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"The checkpoint cannot be read: {e.Message.TrimEnd('.')}", Path, inner: e);
        }
    }
}
