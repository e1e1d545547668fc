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
            NativeLibraries.LoadVips();
            return string.Join('.', Vips.NetVips.Version(0), Vips.NetVips.Version(1), Vips.NetVips.Version(2));
        }
    }

    /// <summary>
    /// The codec's own sentence in an exception: the first line names the call, earlier lines may be warnings, the last one is the cause.
    /// </summary>
    public static string Cause(Vips.VipsException exception) =>
        exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1].TrimEnd('.');
}
