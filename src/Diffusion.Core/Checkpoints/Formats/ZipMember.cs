using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>One entry of a zip archive. Its local header and its checksum are verified when it is read.</summary>
internal sealed class ZipMember(
    CheckpointFile file,
    string name,
    bool deflated,
    long size,
    long packedSize,
    uint crc,
    long headerOffset,
    long directoryOffset
) : IStorageBytes
{
    private long _dataOffset = -1;
    private volatile bool _verified;

    /// <summary>Length in bytes, unpacked.</summary>
    public long Size => size;

    private uint Crc => crc;

    private long DataOffset => _dataOffset >= 0 ? _dataOffset : _dataOffset = CheckLocalHeader();

    /// <inheritdoc/>
    public Stream Open(long offset, long length)
    {
        if (!deflated && _verified)
            return new FileSlice(file, DataOffset + offset, length);
        FileSlice raw = new(file, DataOffset, packedSize);
        return new Verifying(this, deflated ? new DeflateStream(raw, CompressionMode.Decompress) : raw, offset, length);
    }

    /// <summary>All bytes of a small entry.</summary>
    /// <param name="limit">More than this is refused before anything is allocated.</param>
    public byte[] ReadAll(int limit)
    {
        if (size > limit)
            throw Bad($"claims {size} bytes, over the limit of {limit}");
        byte[] bytes = new byte[size];
        using Stream content = Open(0, size);
        content.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The zip64 field (id 1) of an extra block; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Zip64Extra(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra),
                length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4)
                break;
            if (id == 1)
                return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return default;
    }

    private long CheckLocalHeader()
    {
        ReadOnlySpan<byte> header = file.ReadBytes(headerOffset, 30);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]),
            extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        long dataOffset = headerOffset + 30 + nameLength + extraLength;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 0x04034b50 || dataOffset > directoryOffset - packedSize)
            throw Bad("has a damaged local header");
        ReadOnlySpan<byte> variable = file.ReadBytes(headerOffset + 30, nameLength + extraLength);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]),
            method = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        bool agrees = Encoding.UTF8.GetString(variable[..nameLength]) == name && method == (deflated ? 8 : 0) && (flags & 0x2041) == 0;
        bool sizesFollow = (flags & 8) != 0;
        if (agrees && !sizesFollow)
        {
            long localPacked = BinaryPrimitives.ReadUInt32LittleEndian(header[18..]),
                localSize = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
            ReadOnlySpan<byte> wide = Zip64Extra(variable[nameLength..]);
            if (localSize == uint.MaxValue && localPacked == uint.MaxValue && wide.Length >= 16)
                (localSize, localPacked) = (
                    BinaryPrimitives.ReadInt64LittleEndian(wide),
                    BinaryPrimitives.ReadInt64LittleEndian(wide[8..])
                );
            agrees = localPacked == packedSize && localSize == size && BinaryPrimitives.ReadUInt32LittleEndian(header[14..]) == crc;
        }
        return agrees ? dataOffset : throw Bad("has a local header that contradicts the archive's directory");
    }

    private CheckpointException Bad(string what, Exception? inner = null) =>
        new(
            $"Archive entry \"{Printable.Shorten(name)}\" {what}",
            file.Path,
            "The file is damaged or was tampered with; fetch it again",
            inner
        );

    /// <summary>
    /// Hands out a range of an entry's content; what lies before and behind it only enters the checksum, which is compared before the last
    /// bytes are handed out.
    /// </summary>
    private sealed class Verifying(ZipMember member, Stream content, long offset, long length) : ForwardStream(length)
    {
        // Small enough that the checksum finds the bytes in the processor's cache.
        private const int Piece = 1 << 18;
        private readonly Crc32 _checksum = new();
        private long _before = offset,
            _left = length,
            _behind = member.Size - offset - length;

        public override int Read(Span<byte> buffer)
        {
            if (_left == 0 || buffer.IsEmpty)
                return 0;
            Skip(ref _before);
            Span<byte> piece = buffer[..(int)Math.Min(Math.Min(buffer.Length, Piece), _left)];
            int count = ReadSome(piece);
            if (count == 0)
                throw member.Bad("ends before its declared size");
            _left -= count;
            if (_left == 0)
                Finish();
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                content.Dispose();
            base.Dispose(disposing);
        }

        private void Finish()
        {
            Skip(ref _behind);
            if (ReadSome(stackalloc byte[1]) != 0)
                throw member.Bad("goes on beyond its declared size");
            if (_checksum.GetCurrentHashAsUInt32() != member.Crc)
                throw member.Bad("has a wrong checksum (CRC-32)");
            member._verified = true;
        }

        private void Skip(ref long count)
        {
            if (count == 0)
                return;
            byte[] dropped = new byte[(int)Math.Min(count, Piece)];
            while (count > 0)
            {
                int read = ReadSome(dropped.AsSpan(0, (int)Math.Min(count, dropped.Length)));
                if (read == 0)
                    throw member.Bad("ends before its declared size");
                count -= read;
            }
        }

        private int ReadSome(Span<byte> destination)
        {
            try
            {
                int count = content.Read(destination);
                _checksum.Append(destination[..count]);
                return count;
            }
            catch (InvalidDataException e)
            {
                throw member.Bad("cannot be inflated", e);
            }
        }
    }
}
