namespace Diffusion.Training;

/// <summary>A decoded photograph: 8-bit RGB, interleaved, row by row.</summary>
/// <param name="Name">File name.</param>
/// <param name="Pixels">3 * Width * Height bytes.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="IsLossy">
/// Came from a lossy file: its full scale carries traces of compression that no prior should learn at low noise.
/// </param>
public sealed record TrainingPhoto(string Name, byte[] Pixels, int Width, int Height, bool IsLossy)
{
    /// <summary>Length of the shorter side.</summary>
    public int ShortSide => Math.Min(Width, Height);
}
