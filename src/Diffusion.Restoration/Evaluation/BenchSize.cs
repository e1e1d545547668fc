using System.Globalization;
using System.Text.RegularExpressions;
using Diffusion.Imaging;

namespace Diffusion.Evaluation;

/// <summary>
/// The size that pictures are brought to before they are measured: <c>native</c>, <c>256x256</c> (resized, height first), <c>crop
/// 256x256</c> (cut out of the middle).
/// </summary>
public sealed partial record BenchSize
{
    private BenchSize(int height, int width, bool crops) => (Height, Width, Crops) = (height, width, crops);

    /// <summary>As they are.</summary>
    public static BenchSize Native { get; } = new(0, 0, false);

    /// <summary>Rows; 0 for native.</summary>
    public int Height { get; }

    /// <summary>Columns; 0 for native.</summary>
    public int Width { get; }

    /// <summary>Cut out of the middle instead of resized.</summary>
    public bool Crops { get; }

    /// <summary>Reads it.</summary>
    /// <exception cref="ArgumentException">It is none of the three.</exception>
    public static BenchSize Parse(string text)
    {
        if (text.Trim() == "native")
            return Native;
        if (
            Pattern().Match(text) is { Success: true } match
            && int.TryParse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture, out int height)
            && int.TryParse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture, out int width)
            && height > 0
            && width > 0
        )
            return new BenchSize(height, width, match.Groups[1].Success);
        throw new ArgumentException($"A size is native, 256x256 (height x width, resized) or \"crop 256x256\", not \"{text}\".");
    }

    /// <summary>
    /// Brings a picture [1,C,H,W] on [0,1] to this size, on the values of an 8-bit file when it was resized. The caller owns the result.
    /// </summary>
    /// <exception cref="ArgumentException">The picture is smaller than the crop.</exception>
    public Tensor Apply(Tensor pixels)
    {
        if (Height == 0)
            return pixels.clone();
        using DisposeScope scope = torch.NewDisposeScope();
        (long height, long width) = (pixels.shape[2], pixels.shape[3]);
        if (!Crops)
            return ((Resize.ToSize(pixels, Height, Width).clamp(0, 1) * 255).round() / 255).MoveToOuterDisposeScope();
        if (height < Height || width < Width)
            throw new ArgumentException($"A picture of {height}x{width} pixels (height x width) has no crop of {Height}x{Width}.");
        return pixels.narrow(2, (height - Height) / 2, Height).narrow(3, (width - Width) / 2, Width).clone().MoveToOuterDisposeScope();
    }

    /// <summary>The text that parses to it.</summary>
    public override string ToString() => Height == 0 ? "native" : $"{(Crops ? "crop " : "")}{Height}x{Width}";

    [GeneratedRegex(@"^\s*(crop\s+)?(\d+)x(\d+)\s*$")]
    private static partial Regex Pattern();
}
