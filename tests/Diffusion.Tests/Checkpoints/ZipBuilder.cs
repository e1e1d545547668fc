using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Diffusion.Tests.Checkpoints;

/// <summary>One entry of a test archive; what is set here may contradict the content.</summary>
internal sealed record ZipPart(string Name, byte[] Content)
{
    public bool Deflated { get; init; }
    public int Flags { get; init; }
    public uint? Crc { get; init; }
    public long? CentralSize { get; init; }
    public string? LocalName { get; init; }
    public long? LocalSize { get; init; }
}

/// <summary>Writes zip archives, also ones that no honest program writes.</summary>
internal static class ZipBuilder
{
    public static byte[] Build(IEnumerable<ZipPart> parts, bool zip64 = false)
    {
        MemoryStream file = new(),
            directory = new();
        int count = 0;
        foreach (ZipPart part in parts)
        {
            byte[] packed = part.Deflated ? Deflate(part.Content) : part.Content;
            uint crc = part.Crc ?? Crc32.HashToUInt32(part.Content);
            long offset = file.Position,
                size = part.CentralSize ?? part.Content.Length,
                central = part is { Deflated: false, CentralSize: not null } ? size : packed.Length;
            byte[] localName = Encoding.UTF8.GetBytes(part.LocalName ?? part.Name),
                name = Encoding.UTF8.GetBytes(part.Name);
            int method = part.Deflated ? 8 : 0;
            Write(file, 4, 0x04034b50);
            Write(file, 2, 20);
            Write(file, 2, part.Flags);
            Write(file, 2, method);
            Write(file, 4, 0);
            Write(file, 4, crc);
            Write(file, 4, zip64 ? 0xFFFFFFFF : packed.Length);
            Write(file, 4, zip64 ? 0xFFFFFFFF : part.LocalSize ?? size);
            Write(file, 2, localName.Length);
            Write(file, 2, zip64 ? 20 : 0);
            file.Write(localName);
            if (zip64)
            {
                Write(file, 2, 1);
                Write(file, 2, 16);
                Write(file, 8, size);
                Write(file, 8, packed.Length);
            }
            file.Write(packed);
            Write(directory, 4, 0x02014b50);
            Write(directory, 2, 20);
            Write(directory, 2, 20);
            Write(directory, 2, part.Flags);
            Write(directory, 2, method);
            Write(directory, 4, 0);
            Write(directory, 4, crc);
            Write(directory, 4, zip64 ? 0xFFFFFFFF : central);
            Write(directory, 4, zip64 ? 0xFFFFFFFF : size);
            Write(directory, 2, name.Length);
            Write(directory, 2, zip64 ? 28 : 0);
            Write(directory, 2, 0);
            Write(directory, 2, 0);
            Write(directory, 2, 0);
            Write(directory, 4, 0);
            Write(directory, 4, zip64 ? 0xFFFFFFFF : offset);
            directory.Write(name);
            if (zip64)
            {
                Write(directory, 2, 1);
                Write(directory, 2, 24);
                Write(directory, 8, size);
                Write(directory, 8, packed.Length);
                Write(directory, 8, offset);
            }
            count++;
        }
        long start = file.Position,
            length = directory.Length;
        directory.WriteTo(file);
        if (zip64)
        {
            long end = file.Position;
            Write(file, 4, 0x06064b50);
            Write(file, 8, 44);
            Write(file, 2, 45);
            Write(file, 2, 45);
            Write(file, 4, 0);
            Write(file, 4, 0);
            Write(file, 8, count);
            Write(file, 8, count);
            Write(file, 8, length);
            Write(file, 8, start);
            Write(file, 4, 0x07064b50);
            Write(file, 4, 0);
            Write(file, 8, end);
            Write(file, 4, 1);
        }
        Write(file, 4, 0x06054b50);
        Write(file, 4, 0);
        Write(file, 2, zip64 ? 0xFFFF : count);
        Write(file, 2, zip64 ? 0xFFFF : count);
        Write(file, 4, zip64 ? 0xFFFFFFFF : length);
        Write(file, 4, zip64 ? 0xFFFFFFFF : start);
        Write(file, 2, 0);
        return file.ToArray();
    }

    private static byte[] Deflate(byte[] content)
    {
        MemoryStream packed = new();
        using (DeflateStream deflate = new(packed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(content);
        return packed.ToArray();
    }

    private static void Write(Stream stream, int bytes, long value)
    {
        Span<byte> all = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(all, value);
        stream.Write(all[..bytes]);
    }
}
