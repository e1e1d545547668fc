using Diffusion.Native;
using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>libvips, whose settings are the whole process's. Loaded when a picture first needs it.</summary>
internal static class CodecLibrary
{
    // Held for the life of the process: native code calls it.
    private static readonly Vips.Log.LogDelegate Silence = static (_, _, _) => { };

    // A failure is found out once, and kept.
    private static readonly Lazy<bool> Loaded = new(() =>
    {
        DiffusionRuntime.LoadVips(Initialize, BeQuiet);
        return true;
    });

    /// <summary>Loads it; more calls do nothing.</summary>
    /// <exception cref="ResourceException">It is not there, or not for this platform.</exception>
    public static void Load() => NativeLibraries.Load("The picture codecs (libvips)", () => _ = Loaded.Value);

    /// <summary>Refuses what its authors don't trust with hostile files.</summary>
    private static void Initialize()
    {
        if (!Vips.ModuleInitializer.VipsInitialized)
            throw Vips.ModuleInitializer.Exception ?? new DllNotFoundException("libvips");
        Vips.NetVips.BlockUntrusted = true;
    }

    /// <summary>See <see cref="RuntimeOptions.QuietCodecs"/>.</summary>
    private static string? BeQuiet()
    {
        Vips.NetVips.Concurrency = 1;
        Vips.Cache.Max = 0;
        Vips.Log.SetLogHandler("VIPS", Vips.Enums.LogLevelFlags.Warning, Silence);
        return null;
    }
}
