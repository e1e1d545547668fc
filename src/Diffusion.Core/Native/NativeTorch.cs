using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>
/// Prepares the process for libtorch: OpenMP's waiting policy and the allocator's settings, which must be in place before its first call.
/// </summary>
/// <remarks>
/// libgomp's default spinning makes everything 10 to 100 times slower as soon as another program runs. glibc's allocator returns every
/// block above 32 MB to the system and faults it in again:
/// keeping the memory doubles the speed of a network at 512 px; large tensors lie in a <see cref="TensorHeap"/>. Values that the user set
/// in the environment win.
/// </remarks>
public static partial class NativeTorch
{
    private static readonly Lazy<bool> Prepared = new(PrepareOnce);

    /// <summary>Idempotent; called by a compute policy before the first tensor.</summary>
    public static void Prepare() => _ = Prepared.Value;

    private static bool PrepareOnce()
    {
        if (OperatingSystem.IsWindows())
        {
            if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
                _putenv_s("OMP_WAIT_POLICY", "PASSIVE");
            return true;
        }
        // .NET keeps its own copy of the environment: only the C library's call reaches native code. 0 = keep a value that is there.
        setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
        // Long enough to be awake for the next operator, short enough not to hold a core that another program wants.
        setenv("GOMP_SPINCOUNT", "1000", 0);
        if (!OperatingSystem.IsLinux())
            return true;
        bool ownAllocator =
            IsGlibc
            && !Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.StartsWith("MALLOC_", StringComparison.Ordinal));
        if (ownAllocator)
        {
            const int TrimThreshold = -1,
                TopPad = -2,
                MmapMax = -4;
            mallopt(MmapMax, 0);
            mallopt(TrimThreshold, -1); // never
            mallopt(TopPad, 64 << 20);
            UseLargePages();
        }
        try
        {
            torch.get_num_threads(); // loads libtorch
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return true; // The first tensor will say what is wrong.
        }
        if (ownAllocator)
            TensorHeap.Install();
        DisableNnpack();
        return true;
    }

    /// <summary>
    /// Asks for large pages where the heap will grow: libtorch lays down 100 MB while it loads, and touching small pages for the first time
    /// would take as long as all the rest of it.
    /// </summary>
    private static unsafe void UseLargePages()
    {
        const nuint Room = 256 << 20;
        // Taken and given back at once, so that the heap has this room; nothing of it is touched.
        void* room = malloc(Room);
        if (room is null)
            return;
        free(room);
        LargePages.Ask(LargePages.Align((nuint)room), Room - 2 * LargePages.Size);
    }

    // Small float32 convolutions try NNPACK first, and where it does not know the processor each one prints a warning. libtorch has no C
    // function for the setting, and TorchSharp does not wrap it;
    // elsewhere than on Linux the names differ.
    private static unsafe void DisableNnpack()
    {
        if (
            NativeLibrary.TryLoad("libtorch_cpu.so", out nint library)
            && NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out nint context)
            && NativeLibrary.TryGetExport(library, "_ZN2at7Context20setUserEnabledNNPACKEb", out nint set)
        )
            ((delegate* unmanaged<nint, byte, void>)set)(((delegate* unmanaged<nint>)context)(), 0);
    }

    private static bool IsGlibc { get; } =
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("libc.so.6", out nint handle)
        && NativeLibrary.TryGetExport(handle, "gnu_get_libc_version", out _);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("ucrtbase", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int _putenv_s(string name, string value);

    [LibraryImport("libc.so.6")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc.so.6")]
    private static unsafe partial void* malloc(nuint size);

    [LibraryImport("libc.so.6")]
    private static unsafe partial void free(void* block);
}
