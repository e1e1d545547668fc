using System.Buffers.Binary;
using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>
/// The central directory of a zip archive (with zip64), read strictly: what two readers could understand differently is refused.
/// </summary>
/// <remarks>
/// The framework's ZipArchive tells neither where an entry's bytes lie, nor checks local headers, checksums, duplicates or claimed sizes;
/// tensors are read straight from their place in the file.
/// Format: PKWARE APPNOTE 6.3.
/// </remarks>
internal sealed class ZipDirectory
{
    private const int MaxEntries = 250_000;
    private const uint Saturated = 0xFFFFFFFF;
    private readonly CheckpointFile _file;
    private readonly Dictionary<string, ZipMember> _members = [];

    private ZipDirectory(CheckpointFile file) => _file = file;

    /// <summary>The entries by full name; folders are left out.</summary>
    public IReadOnlyDictionary<string, ZipMember> Members => _members;

    /// <summary>Reads the directory of <paramref name="file"/>.</summary>
    /// <exception cref="CheckpointException">The archive is truncated, damaged or ambiguous.</exception>
    public static ZipDirectory Read(CheckpointFile file)
    {
        ZipDirectory directory = new(file);
        (long count, long size, long offset) = directory.FindEnd();
        directory.ReadEntries(file.ReadBytes(offset, size), count, offset);
        return directory;
    }

    private (long Count, long Size, long Offset) FindEnd()
    {
        int tailLength = (int)Math.Min(_file.Length, 22 + ushort.MaxValue);
        byte[] tail = _file.ReadBytes(_file.Length - tailLength, tailLength);
        for (int at = tailLength - 22; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail.AsSpan(at);
            if (U32(end, 0) != 0x06054b50 || U16(end, 20) != end.Length - 22)
                continue;
            if (U16(end, 4) != 0 || U16(end, 6) != 0)
                throw Bad("The archive is split over several files");
            long position = _file.Length - tailLength + at;
            (long count, long size, long offset) = (U16(end, 10), U32(end, 12), U32(end, 16));
            if (at >= 20 && U32(tail.AsSpan(at - 20), 0) == 0x07064b50)
                (count, size, offset, position) = ReadZip64End(U64(tail.AsSpan(at - 20), 8), position - 20, count, size, offset);
            if (offset > position || size > position - offset || count > size / 46)
                throw Bad("The archive's directory lies outside the file");
            if (count > MaxEntries)
                throw Bad($"The archive has {count} entries, over the limit of {MaxEntries}");
            return (count, size, offset);
        }
        throw new CheckpointException("The archive is truncated: its directory is missing", _file.Path, "Fetch the file again");
    }

    private (long Count, long Size, long Offset, long Position) ReadZip64End(long at, long limit, long count, long size, long offset)
    {
        if (at < 0 || at > limit - 56)
            throw Bad("The archive's zip64 directory lies outside the file");
        byte[] end = _file.ReadBytes(at, 56);
        if (U32(end, 0) != 0x06064b50)
            throw Bad("The archive's zip64 directory is damaged");
        (long count64, long size64, long offset64) = (U64(end, 32), U64(end, 40), U64(end, 48));
        bool agrees =
            (count == 0xFFFF || count == count64) && (size == Saturated || size == size64) && (offset == Saturated || offset == offset64);
        if (!agrees || count64 < 0 || size64 < 0 || offset64 < 0)
            throw Bad("The archive's two directories contradict each other");
        return (count64, size64, offset64, at);
    }

    private void ReadEntries(byte[] directory, long count, long directoryOffset)
    {
        ReadOnlySpan<byte> rest = directory;
        for (long i = 0; i < count; i++)
        {
            if (rest.Length < 46 || U32(rest, 0) != 0x02014b50)
                throw Bad("The archive's directory is damaged");
            int nameLength = U16(rest, 28),
                extraLength = U16(rest, 30),
                length = 46 + nameLength + extraLength + U16(rest, 32);
            if (rest.Length < length)
                throw Bad("The archive's directory is damaged");
            AddEntry(
                rest[..46],
                Encoding.UTF8.GetString(rest.Slice(46, nameLength)),
                rest.Slice(46 + nameLength, extraLength),
                directoryOffset
            );
            rest = rest[length..];
        }
        if (!rest.IsEmpty)
            throw Bad("The archive's directory holds more than its entries");
    }

    private void AddEntry(ReadOnlySpan<byte> fixedPart, string name, ReadOnlySpan<byte> extra, long directoryOffset)
    {
        string quoted = $"\"{Printable.Shorten(name)}\"";
        int flags = U16(fixedPart, 8),
            method = U16(fixedPart, 10);
        if ((flags & 0x2041) != 0)
            throw Bad($"Entry {quoted} is encrypted");
        if (method is not (0 or 8))
            throw Bad($"Entry {quoted} is compressed by method {method}; stored and deflated entries can be read");
        if (IsUnsafe(name))
            throw Bad($"Entry {quoted} has a path that leads out of the archive");
        (long size, long packed, long offset) = (U32(fixedPart, 24), U32(fixedPart, 20), U32(fixedPart, 42));
        ReadOnlySpan<byte> wide = ZipMember.Zip64Extra(extra);
        if (!Widen(ref size, ref wide) || !Widen(ref packed, ref wide) || !Widen(ref offset, ref wide))
            throw Bad($"Entry {quoted} lacks its zip64 sizes");
        if (offset > directoryOffset - 30 || packed > directoryOffset - 30 - offset)
            throw Bad($"Entry {quoted} lies outside the file");
        if (method == 0 ? size != packed : size / 1040 > packed)
            throw Bad($"Entry {quoted} claims {size} bytes, which {packed} bytes cannot hold");
        if (name.EndsWith('/'))
            return;
        if (!_members.TryAdd(name, new ZipMember(_file, name, method == 8, size, packed, U32(fixedPart, 16), offset, directoryOffset)))
            throw Bad($"Entry {quoted} is in the archive twice");
    }

    private static bool Widen(ref long value, ref ReadOnlySpan<byte> wide)
    {
        if (value != Saturated)
            return true;
        if (wide.Length < 8)
            return false;
        value = U64(wide, 0);
        wide = wide[8..];
        return value >= 0;
    }

    private static bool IsUnsafe(string name) =>
        name.StartsWith('/') || name.Contains('\\') || name.Contains('\0') || name.Contains(':') || name.Split('/').Contains("..");

    private CheckpointException Bad(string what) => new(what, _file.Path, "The archive is damaged or was tampered with; fetch it again");

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
