using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>
/// Pages of two megabytes, which Linux gives to memory that asks for them. Touching small ones for the first time costs more than computing
/// with them does.
/// </summary>
internal static partial class LargePages
{
    public const nuint Size = 2 << 20;

    /// <summary>The next address at which a large page can begin.</summary>
    public static nuint Align(nuint address) => (address + Size - 1) / Size * Size;

    /// <summary>Asks for large pages; without them small ones do as well.</summary>
    public static void Ask(nuint first, nuint length)
    {
        const int HugePages = 14; // MADV_HUGEPAGE
        _ = madvise(first, length, HugePages);
    }

    [LibraryImport("libc.so.6")]
    private static partial int madvise(nuint address, nuint length, int advice);
}
