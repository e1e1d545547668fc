namespace Diffusion.Inverse;

/// <summary>Channels, height and width of a picture, without the batch.</summary>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Number of values.</summary>
    public long Count => (long)Channels * Height * Width;

    /// <summary>The shape of a batch of <paramref name="n"/>.</summary>
    public long[] Batch(long n) => [n, Channels, Height, Width];

    /// <inheritdoc/>
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

/// <summary>The shape of one measurement, without the batch: [C,h,w] where it is a picture, anything else where it is not.</summary>
public sealed class MeasurementShape : IEquatable<MeasurementShape>
{
    /// <summary>The dimensions.</summary>
    public IReadOnlyList<long> Dims { get; }

    /// <summary>Whether the measurement can be shown as a picture.</summary>
    public bool IsImage { get; }

    /// <summary>A measurement that is no picture.</summary>
    public MeasurementShape(params long[] dims) => Dims = dims;

    /// <summary>A measurement that is a picture.</summary>
    public MeasurementShape(ImageShape image)
    {
        Dims = [image.Channels, image.Height, image.Width];
        IsImage = true;
    }

    /// <summary>Number of values.</summary>
    public long Count => Dims.Aggregate(1L, (a, b) => checked(a * b));

    /// <summary>The shape of a batch of <paramref name="n"/>.</summary>
    public long[] Batch(long n) => [n, .. Dims];

    /// <summary>Height, width and channels; throws when it is no picture.</summary>
    public ImageShape Image =>
        IsImage
            ? new ImageShape((int)Dims[0], (int)Dims[1], (int)Dims[2])
            : throw new InvalidOperationException("This measurement is no picture.");

    /// <inheritdoc/>
    public bool Equals(MeasurementShape? other) => other is not null && IsImage == other.IsImage && Dims.SequenceEqual(other.Dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MeasurementShape);

    /// <inheritdoc/>
    public override int GetHashCode() => Dims.Aggregate(17, (hash, d) => hash * 31 + d.GetHashCode());

    /// <inheritdoc/>
    public override string ToString() => string.Join("x", Dims);
}
