using Diffusion.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Diffusion.Checkpoints;

/// <summary>A file opened for positioned reads. Not mapped into memory: a mapped file that shrinks kills the process, here it is an error.</summary>
internal sealed class CheckpointFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <summary>Opens <paramref name="path"/>.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it cannot be read.</exception>
    public CheckpointFile(string path)
    {
        Path = path;
        if (Directory.Exists(path)) throw new CheckpointException("This is a folder, not a checkpoint file", path, "Name the weight file inside it");
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

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>.</summary>
    /// <exception cref="CheckpointException">The file ends too early or cannot be read.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int count = ReadSome(offset, destination);
            if (count == 0) throw new CheckpointException("The file ends in the middle of its data", Path, "It is truncated or was changed while being read; fetch it again");
            offset += count;
            destination = destination[count..];
        }
    }

    /// <summary>Fills the memory of a contiguous CPU tensor; works beyond 2 GiB.</summary>
    public void Read(long offset, Tensor destination)
    {
        for (long done = 0, length = TensorMemory.Length(destination); done < length;)
        {
            Span<byte> piece = TensorMemory.From(destination, done);
            Read(offset + done, piece);
            done += piece.Length;
        }
        GC.KeepAlive(destination);
    }

    /// <summary>The bytes from <paramref name="offset"/>, which must lie inside the file: nothing is allocated for a length that is merely claimed.</summary>
    public byte[] ReadBytes(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > Length - count || count > Array.MaxLength)
            throw new CheckpointException($"{count} bytes at {offset} lie beyond the end of the file", Path, "It is truncated or damaged; fetch it again");
        byte[] bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

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
