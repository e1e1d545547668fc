namespace Diffusion.Runtime;

/// <summary>
/// Large tensors whose values lie in a temporary file: the system keeps in memory what is in use, and writes the rest out when memory is
/// short.
/// </summary>
public static class FileTensor
{
    // A picture of 17 megapixels.
    private const long Large = 200L << 20;

    /// <summary>
    /// An uninitialised float32 tensor [shape] on the CPU: in a file of the system's temporary folder when it is large, otherwise (or where
    /// the
    /// disk is full) in memory.
    /// </summary>
    /// <returns>The caller owns it. The file has no name any more and goes with the tensor.</returns>
    public static Tensor Empty(params long[] shape)
    {
        // Windows cannot take the name from a file that is in use.
        return Count(shape) * sizeof(float) < Large || OperatingSystem.IsWindows()
            ? torch.empty(shape, ScalarType.Float32)
            : InFile(shape) ?? torch.empty(shape, ScalarType.Float32);
    }

    /// <summary>
    /// A float32 tensor [shape] in a file, whatever its size; null where the disk has no room for it. The caller owns it.
    /// </summary>
    public static Tensor? InFile(params long[] shape)
    {
        long count = Count(shape);
        string path = Path.Combine(Path.GetTempPath(), $"diffusion-{Guid.NewGuid():N}.tmp");
        try
        {
            // The room is taken now: a disk that fills up later would end the process at some store into the mapping.
            using (
                new FileStream(
                    path,
                    new FileStreamOptions
                    {
                        Mode = FileMode.CreateNew,
                        Access = FileAccess.ReadWrite,
                        PreallocationSize = count * sizeof(float),
                    }
                )
            ) { }
            using DisposeScope scope = torch.NewDisposeScope();
            return torch.from_file(path, shared: true, size: count, dtype: ScalarType.Float32).reshape(shape).MoveToOuterDisposeScope();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (a, b) => a * b);
}
