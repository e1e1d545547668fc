namespace Diffusion.Imaging;

/// <summary>The stored (not yet upright) pixels of an opened picture, as sRGB, gray or channels of any meaning, then alpha.</summary>
internal interface IPixelSource : IDisposable
{
    int Width { get; }
    int Height { get; }

    /// <summary>Samples without alpha.</summary>
    int Channels { get; }
    bool HasAlpha { get; }

    /// <summary>The EXIF orientation, 1 to 8.</summary>
    int Exif { get; }

    /// <summary>Frames or pages.</summary>
    int Frames { get; }

    /// <summary>Bits per sample; 32 for float.</summary>
    int BitDepth { get; }

    /// <summary>What the value 1 stands for in the file's own numbers.</summary>
    double FullScale { get; }
    IReadOnlyList<string> Notes { get; }

    /// <summary>What the file says besides the pixels.</summary>
    PictureMetadata Metadata => PictureMetadata.None;

    /// <summary>Decodes a rectangle.</summary>
    /// <returns>[1,samples,height,width] float32; the caller owns it.</returns>
    Tensor Read(int left, int top, int width, int height);
}
