using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>One entry of a zip archive. Its local header and its checksum are verified when it is read.</summary>
internal sealed class ZipMember(CheckpointFile file, string name, bool deflated, long size, long packedSize, uint crc, long headerOffset, long directoryOffset) : IStorageBytes
{
    private const int BufferSize = 1 << 20;
    private long _dataOffset = -1;
    private volatile bool _verified;

    /// <inheritdoc/>
    public long Size => size;

    /// <summary>All bytes of a small entry.</summary>
    /// <param name="limit">More than this is refused before anything is allocated.</param>
    public byte[] ReadAll(int limit)
    {
        if (size > limit) throw Bad($"claims {size} bytes, over the limit of {limit}");
        byte[] bytes = new byte[size];
        using Stream content = Open();
        Crc32 checksum = new();
        Fill(content, bytes, checksum);
        Finish(content, checksum);
        return bytes;
    }

    /// <inheritdoc/>
    public void Read(long offset, Tensor destination)
    {
        bool whole = offset == 0 && TensorMemory.Length(destination) == size;
        if (deflated || (whole && !_verified)) ReadThrough(offset, destination);
        else
        {
            if (!_verified) ReadThrough(0, null);
            file.Read(DataOffset + offset, destination);
        }
    }

    /// <summary>The zip64 field (id 1) of an extra block; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Zip64Extra(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4) break;
            if (id == 1) return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return default;
    }

    // One pass over the entry: what lies before and after the wanted range only enters the checksum.
    private void ReadThrough(long offset, Tensor? destination)
    {
        using Stream content = Open();
        Crc32 checksum = new();
        byte[] buffer = new byte[(int)Math.Min(BufferSize, size)];
        Skip(content, offset, buffer, checksum);
        long length = destination is null ? 0 : TensorMemory.Length(destination);
        for (long done = 0; done < length;)
        {
            Span<byte> piece = TensorMemory.From(destination!, done);
            Fill(content, piece, checksum);
            done += piece.Length;
        }
        GC.KeepAlive(destination);
        Skip(content, size - offset - length, buffer, checksum);
        Finish(content, checksum);
    }

    private void Skip(Stream content, long count, byte[] buffer, Crc32 checksum)
    {
        while (count > 0)
        {
            int piece = (int)Math.Min(count, buffer.Length);
            Fill(content, buffer.AsSpan(0, piece), checksum);
            count -= piece;
        }
    }

    private void Fill(Stream content, Span<byte> destination, Crc32 checksum)
    {
        while (destination.Length > 0)
        {
            Span<byte> piece = destination[..Math.Min(destination.Length, BufferSize)];
            int count = ReadSome(content, piece);
            if (count == 0) throw Bad("ends before its declared size");
            checksum.Append(piece[..count]);
            destination = destination[count..];
        }
    }

    private void Finish(Stream content, Crc32 checksum)
    {
        if (ReadSome(content, stackalloc byte[1]) != 0) throw Bad("goes on beyond its declared size");
        if (checksum.GetCurrentHashAsUInt32() != crc) throw Bad("has a wrong checksum (CRC-32)");
        _verified = true;
    }

    private int ReadSome(Stream content, Span<byte> destination)
    {
        try
        {
            return content.Read(destination);
        }
        catch (InvalidDataException e)
        {
            throw Bad("cannot be inflated", e);
        }
    }

    private Stream Open()
    {
        FileSlice raw = new(file, DataOffset, packedSize);
        return deflated ? new DeflateStream(raw, CompressionMode.Decompress) : raw;
    }

    private long DataOffset => _dataOffset >= 0 ? _dataOffset : _dataOffset = CheckLocalHeader();

    private long CheckLocalHeader()
    {
        ReadOnlySpan<byte> header = file.ReadBytes(headerOffset, 30);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]), extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        long dataOffset = headerOffset + 30 + nameLength + extraLength;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 0x04034b50 || dataOffset > directoryOffset - packedSize) throw Bad("has a damaged local header");
        ReadOnlySpan<byte> variable = file.ReadBytes(headerOffset + 30, nameLength + extraLength);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]), method = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        bool agrees = Encoding.UTF8.GetString(variable[..nameLength]) == name && method == (deflated ? 8 : 0) && (flags & 0x2041) == 0;
        bool sizesFollow = (flags & 8) != 0;
        if (agrees && !sizesFollow)
        {
            long localPacked = BinaryPrimitives.ReadUInt32LittleEndian(header[18..]), localSize = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
            ReadOnlySpan<byte> wide = Zip64Extra(variable[nameLength..]);
            if (localSize == uint.MaxValue && localPacked == uint.MaxValue && wide.Length >= 16)
                (localSize, localPacked) = (BinaryPrimitives.ReadInt64LittleEndian(wide), BinaryPrimitives.ReadInt64LittleEndian(wide[8..]));
            agrees = localPacked == packedSize && localSize == size && BinaryPrimitives.ReadUInt32LittleEndian(header[14..]) == crc;
        }
        return agrees ? dataOffset : throw Bad("has a local header that contradicts the archive's directory");
    }

    private CheckpointException Bad(string what, Exception? inner = null)
        => new($"Archive entry \"{Printable.Shorten(name)}\" {what}", file.Path, "The file is damaged or was tampered with; fetch it again", inner);
}
