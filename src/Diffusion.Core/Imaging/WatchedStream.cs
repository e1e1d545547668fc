namespace Diffusion.Imaging;

/// <summary>Passes everything on and remembers the error that the codec library would swallow.</summary>
internal sealed class WatchedStream(Stream inner) : Stream
{
    /// <summary>The first error of the inner stream.</summary>
    public Exception? Failure { get; private set; }

    public override bool CanRead => inner.CanRead;
    public override bool CanSeek => inner.CanSeek;
    public override bool CanWrite => inner.CanWrite;
    public override long Length => inner.Length;
    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override void Flush() =>
        Watch(() =>
        {
            inner.Flush();
            return 0;
        });

    public override int Read(byte[] buffer, int offset, int count) => Watch(() => inner.Read(buffer, offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Watch(() => inner.Seek(offset, origin));

    public override void SetLength(long value) =>
        Watch(() =>
        {
            inner.SetLength(value);
            return 0;
        });

    public override void Write(byte[] buffer, int offset, int count) =>
        Watch(() =>
        {
            inner.Write(buffer, offset, count);
            return 0;
        });

    private T Watch<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception)
        {
            Failure ??= exception;
            throw;
        }
    }
}
