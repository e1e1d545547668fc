namespace Diffusion.Faces;

/// <summary>How a detector's anchors lie and when it speaks.</summary>
/// <param name="InputSize">Side of the published input.</param>
/// <param name="Strides">Pixels between anchors, one entry per grid.</param>
/// <param name="AnchorsPerCell">Anchors at each place, one entry per grid.</param>
/// <param name="OverlapThreshold">Boxes that overlap more are one face.</param>
/// <param name="ScoreClip">Raw scores are clipped to this before the sigmoid.</param>
public sealed record FaceDetectorSettings(
    int InputSize,
    IReadOnlyList<int> Strides,
    IReadOnlyList<int> AnchorsPerCell,
    double OverlapThreshold = 0.3,
    double ScoreClip = 100
)
{
    /// <summary>MediaPipe's detector for faces within five metres: from a twentieth of the picture's longer side.</summary>
    public static FaceDetectorSettings FullRange { get; } = new(192, [4], [1]);

    /// <summary>MediaPipe's detector for faces within two metres.</summary>
    public static FaceDetectorSettings ShortRange { get; } = new(128, [8, 16], [2, 6]);
}
