using System.Globalization;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>The memory that restorations may take: what the user allows, or what was free when it was first asked.</summary>
/// <remarks>
/// Free memory is read once: later the process's own heap, which is used again, would count as taken, and pictures of one folder would be
/// cut up differently.
/// </remarks>
internal sealed class MemoryBound(RunOptions options)
{
    private readonly Lazy<long> _bytes = new(() => options.Memory ?? MemoryEstimate.Available());

    /// <summary>The bound.</summary>
    public long Bytes => _bytes.Value;

    /// <summary>Whether the user gave it.</summary>
    public bool Given => options.Memory is not null;

    /// <summary>Side of tiles that the user asked for.</summary>
    public int? Tile => options.Tile;

    /// <summary>The error of pictures that do not fit.</summary>
    public ResourceException Exceeded(long needed, int height, int width, int batch) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"A picture of {height}x{width} pixels{(batch > 1 ? $", {batch} at a time," : "")} needs about {needed / 1e9:0.0} GB, but "
                    + $"{Bytes / 1e9:0.0} GB are {(Given ? "allowed" : "free")}"
            ),
            Given ? "--memory" : null,
            batch > 1 ? "Use a smaller --batch, or a smaller picture"
                : Given ? "Allow more, or use a smaller picture"
                : "Close other programs, or use a smaller picture"
        );
}
