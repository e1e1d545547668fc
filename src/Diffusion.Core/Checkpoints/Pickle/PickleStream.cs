using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Forward reading of a pickle's bytes. A length is compared with what is left before anything is allocated for it.</summary>
internal sealed class PickleStream(Stream source, string path)
{
    private const int MaxText = 1 << 24,
        MaxLine = 1 << 16;
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _at,
        _end;

    /// <summary>Bytes consumed so far.</summary>
    public long Position { get; private set; }

    /// <summary>The file, for messages.</summary>
    public string Path => path;

    /// <summary>The next byte.</summary>
    public byte ReadByte()
    {
        if (_at == _end)
            Refill();
        Position++;
        return _buffer[_at++];
    }

    /// <summary>An unsigned little-endian number of up to 8 bytes.</summary>
    public ulong ReadNumber(int bytes)
    {
        ulong number = 0;
        for (int i = 0; i < bytes; i++)
            number |= (ulong)ReadByte() << (8 * i);
        return number;
    }

    /// <summary>So many bytes.</summary>
    public byte[] ReadBytes(ulong count)
    {
        if (count > (ulong)(source.Length - Position))
            throw Malformed($"A string of {count} bytes is longer than the stream");
        if (count > MaxText)
            throw Malformed($"A string of {count} bytes is over the limit of {MaxText}");
        byte[] bytes = new byte[count];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = ReadByte();
        return bytes;
    }

    /// <summary>Text up to a line feed, which is dropped.</summary>
    public string ReadLine()
    {
        List<byte> line = [];
        for (byte b = ReadByte(); b != (byte)'\n'; b = ReadByte())
        {
            line.Add(b);
            if (line.Count > MaxLine)
                throw Malformed("A line never ends");
        }
        return Encoding.UTF8.GetString([.. line]);
    }

    /// <summary>The error of a stream that breaks the format.</summary>
    public CheckpointException Malformed(string what) =>
        new($"Malformed pickle: {Uncapitalised(what)}", path, "The file is damaged or was tampered with; fetch it again");

    private static string Uncapitalised(string text) => char.ToLowerInvariant(text[0]) + text[1..];

    private void Refill()
    {
        _at = 0;
        _end = source.Read(_buffer);
        if (_end == 0)
            throw new CheckpointException("The file is truncated: its pickle does not end", path, "Fetch the file again");
    }
}
