using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>The codec library (libvips), prepared once per process. Its types stay inside this folder.</summary>
internal static class Codecs
{
    private static readonly Lazy<Exception?> Failure = new(PrepareOnce);

    // Held for the life of the process: native code calls it.
    private static readonly Vips.Log.LogDelegate Silence = static (_, _, _) => { };

    /// <summary>Loads and configures the library.</summary>
    /// <exception cref="ResourceException">The native library cannot be loaded.</exception>
    public static void Prepare()
    {
        if (Failure.Value is { } failure)
            throw new ResourceException(
                "The picture codecs (libvips) could not be loaded",
                failure.GetType().Name,
                "Run \"diffusion doctor\"; the package NetVips.Native of this platform must be beside the program",
                failure
            );
    }

    /// <summary>The library's version, for example <c>8.18.0</c>.</summary>
    public static string Version
    {
        get
        {
            Prepare();
            return string.Join('.', Vips.NetVips.Version(0), Vips.NetVips.Version(1), Vips.NetVips.Version(2));
        }
    }

    /// <summary>
    /// The codec's own sentence in an exception: the first line names the call, earlier lines may be warnings, the last one is the cause.
    /// </summary>
    public static string Cause(Vips.VipsException exception) =>
        exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1].TrimEnd('.');

    private static Exception? PrepareOnce()
    {
        try
        {
            if (!Vips.ModuleInitializer.VipsInitialized)
                return Vips.ModuleInitializer.Exception ?? new DllNotFoundException("libvips");
            // torch owns the processor's threads; decoded pictures are kept as tensors, not in a cache.
            Vips.NetVips.Concurrency = 1;
            Vips.Cache.Max = 0;
            Vips.NetVips.BlockUntrusted = true;
            Vips.Log.SetLogHandler("VIPS", Vips.Enums.LogLevelFlags.Warning, Silence);
            return null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            return exception;
        }
    }
}
