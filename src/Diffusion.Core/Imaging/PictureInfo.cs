namespace Diffusion.Imaging;

/// <summary>What a file's header says, without decoding it.</summary>
/// <param name="Format">The format by content.</param>
/// <param name="Width">In pixels, after the EXIF orientation.</param>
/// <param name="Height">In pixels, after the EXIF orientation.</param>
/// <param name="Channels">3, or 1 for gray, as <see cref="Picture.Pixels"/> will have them.</param>
/// <param name="HasAlpha">Whether there is an alpha channel.</param>
/// <param name="BitDepth">Bits per sample; 32 for float.</param>
/// <param name="Frames">Frames or pages; only the first is read.</param>
public sealed record PictureInfo(ImageFormat Format, int Width, int Height, int Channels, bool HasAlpha, int BitDepth, int Frames);
