using Vips = NetVips;

namespace Diffusion.Native;

/// <summary>libvips, whose settings are the whole process's.</summary>
internal static class CodecLibrary
{
    // Held for the life of the process: native code calls it.
    private static readonly Vips.Log.LogDelegate Silence = static (_, _, _) => { };

    /// <summary>Loads it, and refuses what its authors don't trust with hostile files.</summary>
    public static void Load()
    {
        if (!Vips.ModuleInitializer.VipsInitialized)
            throw Vips.ModuleInitializer.Exception ?? new DllNotFoundException("libvips");
        Vips.NetVips.BlockUntrusted = true;
    }

    /// <summary>See <see cref="RuntimeOptions.QuietCodecs"/>.</summary>
    public static string? BeQuiet()
    {
        Vips.NetVips.Concurrency = 1;
        Vips.Cache.Max = 0;
        Vips.Log.SetLogHandler("VIPS", Vips.Enums.LogLevelFlags.Warning, Silence);
        return null;
    }
}
