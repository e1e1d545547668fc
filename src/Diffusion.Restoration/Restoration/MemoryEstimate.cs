using Diffusion.Inverse;
using Diffusion.Models;

namespace Diffusion.Restoration;

/// <summary>How much memory a restoration needs, known before it starts.</summary>
public sealed class MemoryEstimate
{
    // Fitted to the resident memory of whole runs at 256 to 1024 pixels, with and without tiles, where large tensors lie in a heap of their
    // own.
    // Runtime, libtorch, codecs.
    private const long Base = 235L << 20;

    // Float pictures that solver and operator hold: x, x0, y, noise, transforms (complex ones count twice) and their temporaries.
    private const int SolverPictures = 37;

    private readonly NetworkMemory _network;

    private MemoryEstimate(NetworkMemory network) => _network = network;

    /// <summary>For one prior.</summary>
    public static MemoryEstimate Of(IDenoiser prior) => new(prior.Info.Memory);

    /// <summary>Bytes for a batch of pictures, with tiles of a side or without.</summary>
    public long Bytes(ImageShape picture, int batch, int? tile = null)
    {
        double pixels = (double)picture.Height * picture.Width;
        double network = tile is { } side ? Math.Min(pixels, (double)side * side) : batch * pixels;
        return Base
            + _network.WeightBytes
            + (long)(network * _network.BytesPerPixel)
            + (long)(batch * pixels * picture.Channels * sizeof(float) * SolverPictures);
    }

    /// <summary>Bytes that are free for this process: what the system and its container leave.</summary>
    public static long Available()
    {
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
        if (!OperatingSystem.IsLinux())
            return limit;
        try
        {
            string? line = File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
            return line is null
                ? limit
                : Math.Min(
                    limit,
                    long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture)
                        << 10
                );
        }
        catch (IOException)
        {
            return limit;
        }
    }
}
