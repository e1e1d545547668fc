using Diffusion.Arrays;
using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>
/// The picture of a FITS unit. Integers are divided by the largest value of their type, floats stay as they are; of a cube each plane is a
/// page. Rows stand in the order of the file.
/// </summary>
internal sealed class FitsPixels : IPixelSource
{
    private readonly FitsUnit _unit;
    private readonly int _page;
    private Tensor? _plane;

    public FitsPixels(Stream stream, string where, ReadOptions options)
    {
        _unit = FitsFormat.Open(stream, options.Hdu, where);
        long[] shape = _unit.Shape;
        long height = shape.Length > 1 ? shape[^2] : 1;
        if (shape[^1] > int.MaxValue || height > int.MaxValue)
            throw new ImageException("The picture claims an impossible size", where, "Write it again");
        (Width, Height) = ((int)shape[^1], (int)height);
        PictureSource.CheckSize(Width, Height, options, where);
        Frames = (int)Math.Min(int.MaxValue, shape.SkipLast(2).Aggregate(1.0, (a, b) => a * b));
        _page = options.Page ?? 1;
    }

    public int Width { get; }
    public int Height { get; }
    public int Channels => 1;
    public bool HasAlpha => false;
    public int Exif => 1;
    public int Frames { get; }
    public int BitDepth =>
        _unit.Type switch
        {
            SampleType.UInt8 or SampleType.Int8 => 8,
            SampleType.UInt16 or SampleType.Int16 => 16,
            _ => 32,
        };
    public double FullScale =>
        _unit.Type switch
        {
            SampleType.UInt8 => byte.MaxValue,
            SampleType.Int8 => sbyte.MaxValue,
            SampleType.UInt16 => ushort.MaxValue,
            SampleType.Int16 => short.MaxValue,
            SampleType.UInt32 => uint.MaxValue,
            SampleType.Int32 => int.MaxValue,
            SampleType.UInt64 => ulong.MaxValue,
            SampleType.Int64 => long.MaxValue,
            _ => 1,
        };
    public IReadOnlyList<string> Notes => _unit.Notes;
    public PictureMetadata Metadata => new() { Cards = FitsCoordinates.Kept(_unit.Header.Cards) };

    public Tensor Read(int left, int top, int width, int height)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _plane ??= Decode().DetachFromDisposeScope();
        return _plane.narrow(2, top, height).narrow(3, left, width).clone().MoveToOuterDisposeScope();
    }

    public void Dispose() => _plane?.Dispose();

    private Tensor Decode()
    {
        using NumericArray array = _unit.Values();
        Tensor planes = array.Values.reshape(-1, 1, Height, Width);
        return (planes.narrow(0, _page - 1, 1) / FullScale).to(ScalarType.Float32);
    }
}
