namespace Diffusion.Checkpoints;

/// <summary>A range of a file.</summary>
internal sealed class FileSlice(CheckpointFile file, long offset, long length) : ForwardStream(length)
{
    private long _position;

    public override int Read(Span<byte> buffer)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, Length - _position)];
        int count = file.ReadSome(offset + _position, buffer);
        if (count == 0 && buffer.Length > 0)
            throw file.EndsEarly();
        _position += count;
        return count;
    }
}
