namespace Diffusion.Faces;

/// <summary>One of the 468 landmarks.</summary>
/// <param name="X">Pixels.</param>
/// <param name="Y">Pixels.</param>
/// <param name="Z">Pixels; smaller is nearer, 0 about the middle of the head.</param>
public readonly record struct FaceLandmark(double X, double Y, double Z);

/// <summary>The 468 landmarks of a face in MediaPipe's order, with the network's belief that there is a face.</summary>
/// <param name="Points">468 points in pixels of the picture.</param>
/// <param name="Presence">0 to 1; MediaPipe keeps a face above 0.5.</param>
public sealed record FaceLandmarks(IReadOnlyList<FaceLandmark> Points, double Presence)
{
    private static readonly int[] LeftEye = [33, 160, 158, 133, 153, 144],
        RightEye = [362, 385, 387, 263, 373, 380];

    /// <summary>
    /// The five points that faces are aligned by: the eye at the left of an upright face, the other eye, tip of the nose, the
    /// mouth's corners at
    /// the left and right.
    /// </summary>
    public IReadOnlyList<(double X, double Y)> Five => [Mean(LeftEye), Mean(RightEye), At(1), At(61), At(291)];

    /// <summary>
    /// Mean distance of the landmarks from those of another face in the same square, in eye distances of that one: how much a
    /// restoration moved features.
    /// </summary>
    public double DistanceTo(FaceLandmarks reference)
    {
        (double X, double Y) left = reference.Five[0],
            right = reference.Five[1];
        double eyes = Math.Sqrt(Math.Pow(right.X - left.X, 2) + Math.Pow(right.Y - left.Y, 2));
        return Points.Zip(reference.Points, (p, q) => Math.Sqrt((p.X - q.X) * (p.X - q.X) + (p.Y - q.Y) * (p.Y - q.Y))).Average() / eyes;
    }

    private (double X, double Y) At(int index) => (Points[index].X, Points[index].Y);

    private (double X, double Y) Mean(int[] indices) => (indices.Average(k => Points[k].X), indices.Average(k => Points[k].Y));
}
