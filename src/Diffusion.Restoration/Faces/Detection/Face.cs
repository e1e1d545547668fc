namespace Diffusion.Faces;

/// <summary>A face found in a photograph, in its pixels (the centre of pixel k lies at k + 0.5).</summary>
/// <param name="Detection">Box, score and coarse points.</param>
/// <param name="Landmarks">The 468 landmarks of the second look, with their presence.</param>
public sealed record Face(DetectedFace Detection, FaceLandmarks Landmarks)
{
    private const double Present = 0.5;

    /// <summary>0 to 1: how sure the detector is.</summary>
    public double Score => Detection.Score;

    /// <summary>Whether the landmark network believes in the face; it also doubts some profiles.</summary>
    public bool HasLandmarks => Landmarks.Presence > Present;

    /// <summary>By how much the face leans clockwise, radians within [-pi, pi).</summary>
    public double Rotation => FaceSquare.Around(Landmarks.Points).Rotation;
}
