using Diffusion.Imaging;

namespace Diffusion.Faces;

/// <summary>A square about a face, turned with it.</summary>
/// <param name="X">Centre, pixels.</param>
/// <param name="Y">Centre, pixels.</param>
/// <param name="Side">Pixels.</param>
/// <param name="Rotation">Radians within [-pi, pi); positive: the face leans clockwise.</param>
public readonly record struct FaceSquare(double X, double Y, double Side, double Rotation)
{
    private const double Enlarged = 1.5;

    /// <summary>The square that MediaPipe takes from a detection.</summary>
    public static FaceSquare Around(DetectedFace face) =>
        new(face.Center.X, face.Center.Y, Enlarged * Math.Max(face.Width, face.Height), EyeLine(face.Points[0], face.Points[1]));

    /// <summary>The square that MediaPipe takes from landmarks, for a second and better look.</summary>
    public static FaceSquare Around(IReadOnlyList<FaceLandmark> landmarks)
    {
        (double left, double right) = (landmarks.Min(point => point.X), landmarks.Max(point => point.X));
        (double top, double bottom) = (landmarks.Min(point => point.Y), landmarks.Max(point => point.Y));
        return new FaceSquare(
            (left + right) / 2,
            (top + bottom) / 2,
            Enlarged * Math.Max(right - left, bottom - top),
            EyeLine((landmarks[33].X, landmarks[33].Y), (landmarks[263].X, landmarks[263].Y))
        );
    }

    /// <summary>The map from an upright square of <paramref name="size"/> pixels to the picture.</summary>
    public Affine FromCrop(int size)
    {
        Affine turn = Affine.Similarity(Side / size, Rotation, 0, 0);
        (double x, double y) = turn.Apply(size / 2.0, size / 2.0);
        return turn with { C = X - x, F = Y - y };
    }

    private static double EyeLine((double X, double Y) left, (double X, double Y) right)
    {
        double angle = Math.Atan2(right.Y - left.Y, right.X - left.X);
        return angle - 2 * Math.PI * Math.Floor((angle + Math.PI) / (2 * Math.PI));
    }
}
