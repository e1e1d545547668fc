namespace Diffusion.Faces;

/// <summary>Where an aligned face has its five points.</summary>
public static class FaceTemplate
{
    /// <summary>Side of the published template.</summary>
    public const int Size = 512;

    /// <summary>
    /// The template of FFHQ-like crops (facexlib): eye at the left, eye at the right, tip of the nose, corners of the mouth at the left and
    /// right, in pixels of a 512 px square (pixel k at k, as published).
    /// </summary>
    public static IReadOnlyList<(double X, double Y)> Published { get; } =
    [(192.98138, 239.94708), (318.90277, 240.1936), (256.63416, 314.01935), (201.26117, 371.41043), (313.08905, 371.15118)];

    /// <summary>The template in a square of another size; the centre of pixel k lies at k + 0.5.</summary>
    public static IReadOnlyList<(double X, double Y)> Of(int size = Size) =>
        [.. Published.Select(point => ((point.X + 0.5) * size / Size, (point.Y + 0.5) * size / Size))];
}
