using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>
/// The functions that a loaded ELF library calls in other libraries (its procedure linkage table). Linux, 64 bits, glibc.
/// </summary>
internal static unsafe partial class ImportTable
{
    /// <summary>
    /// Where <paramref name="library"/> keeps the address of <paramref name="function"/>, or null where it doesn't import it.
    /// </summary>
    /// <param name="library">A handle of <see cref="NativeLibrary"/>.</param>
    /// <param name="function">Its name, without a version.</param>
    public static nint* Find(nint library, string function)
    {
        LinkMap* map = (LinkMap*)library;
        byte* names = null;
        Symbol* symbols = null;
        Relocation* relocations = null;
        nuint size = 0;
        for (Dynamic* entry = (Dynamic*)map->Dynamic; entry->Tag != DynamicEnd; entry++)
        {
            // The loader has replaced offsets by addresses, except where it may not write.
            nint address = entry->Value >= map->Base ? entry->Value : map->Base + entry->Value;
            switch (entry->Tag)
            {
                case DynamicStrings:
                    names = (byte*)address;
                    break;
                case DynamicSymbols:
                    symbols = (Symbol*)address;
                    break;
                case DynamicJumps:
                    relocations = (Relocation*)address;
                    break;
                case DynamicJumpsSize:
                    size = (nuint)entry->Value;
                    break;
            }
        }
        if (names == null || symbols == null || relocations == null)
            return null;
        for (nuint i = 0; i < size / (nuint)sizeof(Relocation); i++)
        {
            if (Marshal.PtrToStringUTF8((nint)(names + symbols[relocations[i].Info >> 32].Name)) == function)
                return (nint*)(map->Base + relocations[i].Offset);
        }
        return null;
    }

    /// <summary>
    /// Makes the library call <paramref name="replacement"/>. The page stays writable: making it read-only again could take that from a
    /// loader that binds lazily.
    /// </summary>
    /// <returns>False where the system does not allow it; nothing has changed then.</returns>
    public static bool Redirect(nint* slot, nint replacement)
    {
        const int ReadWrite = 3;
        nint page = Environment.SystemPageSize,
            first = (nint)slot / page * page;
        if (mprotect(first, (nuint)page, ReadWrite) != 0)
            return false;
        Volatile.Write(ref *slot, replacement);
        return true;
    }

    private const long DynamicEnd = 0,
        DynamicJumpsSize = 2,
        DynamicStrings = 5,
        DynamicSymbols = 6,
        DynamicJumps = 23;

    [LibraryImport("libc.so.6")]
    private static partial int mprotect(nint address, nuint length, int protection);

    // glibc's struct link_map and the tables of the ELF format, in their layout.
    private readonly record struct LinkMap(nint Base, nint Name, nint Dynamic);

    private readonly record struct Dynamic(long Tag, nint Value);

    private readonly record struct Symbol(uint Name, byte Info, byte Other, ushort Section, nint Value, ulong Size);

    private readonly record struct Relocation(nint Offset, ulong Info, nint Addend);
}
