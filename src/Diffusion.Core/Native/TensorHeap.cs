using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>
/// The memory of libtorch's large tensors: one range of addresses of our own, in large pages, that holds nothing else. Linux with glibc;
/// elsewhere, and where it can't be had, the C library's allocator stays.
/// </summary>
/// <remarks>
/// glibc's heap lays small blocks into the holes that large ones leave, and a hole never fits the next aligned block of its own size: a
/// restoration at 1024 px took 2.8 GB at its peak instead of 1.7.
/// libtorch can't be given another allocator from here without C++ exceptions passing through managed code, so the two C functions that its
/// allocator calls are replaced in its import table.
/// </remarks>
internal static unsafe partial class TensorHeap
{
    // Smaller ones lie well in glibc's heap.
    private const nuint Smallest = 256 << 10;
    private const int Alignment = 64,
        OutOfMemory = 12;

    private static readonly Lock Gate = new();
    private static BlockMap? s_blocks;
    private static nuint s_first,
        s_end;
    private static delegate* unmanaged<void**, nuint, nuint, int> s_allocate;
    private static delegate* unmanaged<void*, void> s_free;

    /// <summary>Once, after libtorch was loaded. See <see cref="RuntimeOptions.TensorHeap"/>.</summary>
    public static string? Install()
    {
        if (GlibcHeap.Obstacle is not null)
            return GlibcHeap.Obstacle;
        if (!NativeLibrary.TryLoad("libc10.so", out nint library) || !NativeLibrary.TryLoad("libc.so.6", out nint c))
            return "this libtorch has no libc10";
        nint* allocate = ImportTable.Find(library, "posix_memalign"),
            free = ImportTable.Find(library, "free");
        if (allocate == null || free == null)
            return "this libtorch takes its memory from elsewhere";
        // Not more than there is: glibc refuses what can't be, and libtorch says it.
        nuint capacity = (nuint)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / LargePages.Size * LargePages.Size;
        nint room = mmap(0, capacity + LargePages.Size, ReadWrite, PrivateAnonymousUnreserved, -1, 0);
        if (room == -1)
            return "the system has no addresses left";
        s_first = LargePages.Align((nuint)room);
        s_end = s_first + capacity;
        LargePages.Ask(s_first, capacity);
        s_allocate = (delegate* unmanaged<void**, nuint, nuint, int>)NativeLibrary.GetExport(c, "posix_memalign");
        s_free = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(c, "free");
        s_blocks = new((long)capacity);
        // In this order: a block from here must not reach glibc.
        if (
            !ImportTable.Redirect(free, (nint)(delegate* unmanaged<void*, void>)&Free)
            || !ImportTable.Redirect(allocate, (nint)(delegate* unmanaged<void**, nuint, nuint, int>)&Allocate)
        )
            return "the system protects the import table";
        return null;
    }

    [UnmanagedCallersOnly]
    private static int Allocate(void** block, nuint alignment, nuint size)
    {
        if (size < Smallest || size > s_end - s_first || alignment > Alignment)
            return s_allocate(block, alignment, size);
        long offset;
        try
        {
            lock (Gate)
                offset = s_blocks!.Take(((long)size + Alignment - 1) / Alignment * Alignment);
        }
        catch (OutOfMemoryException)
        {
            return OutOfMemory;
        }
        if (offset < 0)
            return s_allocate(block, alignment, size);
        *block = (void*)(s_first + (nuint)offset);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void Free(void* block)
    {
        if ((nuint)block - s_first >= s_end - s_first)
        {
            s_free(block);
            return;
        }
        lock (Gate)
            s_blocks!.Give((long)((nuint)block - s_first));
    }

    private const int ReadWrite = 3,
        PrivateAnonymousUnreserved = 0x4022;

    [LibraryImport("libc.so.6")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);
}
