using BitMiracle.LibTiff.Classic;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Decodes by LibTiff.NET: LZW, fax, old-style JPEG and others.</summary>
internal sealed class TiffLibraryChunks : ITiffChunks
{
    // CCITT (four kinds), LZW, ThunderScan.
    private static readonly int[] Known = [2, 3, 4, 5, 32771, 32809];

    private readonly Tiff _tiff;
    private readonly TiffLayout _layout;

    /// <exception cref="ImageException">The library does not know the file's compression.</exception>
    public TiffLibraryChunks(Stream stream, int page, TiffLayout layout, string where)
    {
        _layout = layout;
        Tiff.SetErrorHandler(Listener.Only);
        stream.Position = 0;
        if (!Known.Contains(layout.Compression))
            throw TiffUnsupported.Because($"it is compressed with {TiffUnsupported.Scheme(layout.Compression)}", where);
        _tiff = Tiff.ClientOpen(where, "r", stream, new BorrowedStream())
            ?? throw TiffUnsupported.Because($"{TiffUnsupported.Scheme(layout.Compression)} in this kind of file", where);
        if (page > 1 && !_tiff.SetDirectory((short)(page - 1)))
            throw new InvalidDataException();
    }

    public byte[] Read(int index, int length)
    {
        byte[] bytes = new byte[length];
        Listener.Failure = null;
        int read = _layout.Tiled ? _tiff.ReadEncodedTile(index, bytes, 0, length) : _tiff.ReadEncodedStrip(index, bytes, 0, length);
        if (read < 0 || Listener.Failure is not null)
            throw new InvalidDataException(Listener.Failure);
        return read == length ? bytes : bytes[..read];
    }

    public void Dispose() => _tiff?.Dispose();

    // The picture's stream stays open: its owner closes it.
    private sealed class BorrowedStream : TiffStream
    {
        public override void Close(object clientData) { }
    }

    // What the library says of this thread's file.
    private sealed class Listener : TiffErrorHandler
    {
        public static readonly Listener Only = new();

        [ThreadStatic]
        public static string? Failure;

        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) =>
            Failure ??= string.Format(System.Globalization.CultureInfo.InvariantCulture, format, args);

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args) { }

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args) { }

        public override void WarningHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args) { }
    }
}
