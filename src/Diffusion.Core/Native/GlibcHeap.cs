using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>The C library's heap where it is glibc's.</summary>
internal static partial class GlibcHeap
{
    /// <summary>Why it must be left alone, or null.</summary>
    public static string? Obstacle { get; } =
        !IsHere() ? "the C library is not glibc"
        : Environment.GetEnvironmentVariables().Keys.Cast<string>().FirstOrDefault(IsSetting) is { } name
            ? $"{name} is set in the environment"
        : null;

    /// <summary>See <see cref="RuntimeOptions.KeepFreedMemory"/>.</summary>
    public static string? KeepFreedMemory()
    {
        if (Obstacle is not null)
            return Obstacle;
        const int TrimThreshold = -1,
            TopPad = -2,
            MmapMax = -4;
        // 1 is success; a trim threshold of -1 means never.
        return (mallopt(MmapMax, 0) & mallopt(TrimThreshold, -1) & mallopt(TopPad, 64 << 20)) == 1 ? null : "glibc refuses it";
    }

    /// <summary>
    /// Asks for large pages where the heap will grow: libtorch lays down 100 MB while it loads, and touching small pages for the first time
    /// would take as long as all the rest of it.
    /// </summary>
    public static unsafe string? AskForLargePages()
    {
        if (Obstacle is not null)
            return Obstacle;
        const nuint Room = 256 << 20;
        // Taken and given back at once, so that the heap has this room; nothing of it is touched.
        void* room = malloc(Room);
        if (room is null)
            return "there are no 256 MB for it";
        free(room);
        LargePages.Ask(LargePages.Align((nuint)room), Room - 2 * LargePages.Size);
        return null;
    }

    private static bool IsSetting(string name) => name.StartsWith("MALLOC_", StringComparison.Ordinal);

    private static bool IsHere() =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("libc.so.6", out nint handle)
        && NativeLibrary.TryGetExport(handle, "gnu_get_libc_version", out _);

    [LibraryImport("libc.so.6")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc.so.6")]
    private static unsafe partial void* malloc(nuint size);

    [LibraryImport("libc.so.6")]
    private static unsafe partial void free(void* block);
}
