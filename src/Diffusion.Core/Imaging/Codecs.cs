using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>What the readers and writers of pictures ask of the codec library (libvips). Its types stay inside this folder.</summary>
internal static class Codecs
{
    /// <summary>The library's version, for example <c>8.18.0</c>.</summary>
    /// <exception cref="ResourceException">The library cannot be loaded.</exception>
    public static string Version
    {
        get
        {
            CodecLibrary.Load();
            return string.Join('.', Vips.NetVips.Version(0), Vips.NetVips.Version(1), Vips.NetVips.Version(2));
        }
    }

    /// <summary>What a refusal of the codec library means: the layout is not supported, or the file is damaged.</summary>
    public static ImageException Failure(Vips.VipsException exception, ImageFormat format, string where)
    {
        string[] missing = ["not supported", "unsupported", "not configured", "not implemented", "unimplemented", "out of range"];
        return format == ImageFormat.Tiff && missing.Any(m => exception.Message.Contains(m, StringComparison.OrdinalIgnoreCase))
            ? TiffUnsupported.Because(Reason(exception, missing), where, exception)
            : Damaged(format, where, exception);
    }

    /// <summary>The error of a file that is cut off or disturbed.</summary>
    public static ImageException Damaged(ImageFormat format, string where, Exception inner) =>
        new($"The {format.DisplayName()} picture is truncated or damaged", where, "Copy or export it again", inner);

    /// <summary>
    /// The codec's own sentence in an exception: the first line names the call, earlier lines may be warnings, the last one is the cause.
    /// </summary>
    public static string Cause(Vips.VipsException exception) =>
        exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1].TrimEnd('.');

    private static string Reason(Vips.VipsException exception, string[] words) =>
        exception
            .Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Last(line => words.Any(w => line.Contains(w, StringComparison.OrdinalIgnoreCase)))
            .TrimEnd('.');
}
