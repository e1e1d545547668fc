using Diffusion.Imaging;

namespace Diffusion.Faces;

/// <summary>What a detector says about one face: how sure it is, where the face is, and six points of it.</summary>
/// <remarks>
/// The points: the eye at the left of an upright face, the other eye, tip of the nose, middle of the mouth, the ears at the left
/// and right.
/// They are coarse (eyes off by a sixth of their distance); <see cref="FaceLandmarker"/> is exact.
/// </remarks>
/// <param name="Score">0 to 1.</param>
/// <param name="Left">Left border; brows to chin lie between <paramref name="Top"/> and <paramref name="Bottom"/>.</param>
/// <param name="Top">Upper border.</param>
/// <param name="Right">Right border.</param>
/// <param name="Bottom">Lower border.</param>
/// <param name="Points">The six points.</param>
public sealed record DetectedFace(
    double Score,
    double Left,
    double Top,
    double Right,
    double Bottom,
    IReadOnlyList<(double X, double Y)> Points
)
{
    /// <summary>Width of the box.</summary>
    public double Width => Right - Left;

    /// <summary>Height of the box.</summary>
    public double Height => Bottom - Top;

    /// <summary>Middle of the box.</summary>
    public (double X, double Y) Center => ((Left + Right) / 2, (Top + Bottom) / 2);

    /// <summary>The same face seen through a map; the box becomes the one around its mapped corners.</summary>
    public DetectedFace Through(Affine map)
    {
        (double X, double Y)[] corners = [map.Apply(Left, Top), map.Apply(Right, Top), map.Apply(Left, Bottom), map.Apply(Right, Bottom)];
        return new DetectedFace(
            Score,
            corners.Min(corner => corner.X),
            corners.Min(corner => corner.Y),
            corners.Max(corner => corner.X),
            corners.Max(corner => corner.Y),
            [.. Points.Select(point => map.Apply(point.X, point.Y))]
        );
    }

    /// <summary>
    /// The face of a mirrored frame of <paramref name="width"/> pixels in the frame itself: left and right change places.
    /// </summary>
    internal DetectedFace Mirrored(double width)
    {
        (double X, double Y)[] points = [.. Points.Select(point => (width - point.X, point.Y))];
        if (points.Length == 6)
            points = [points[1], points[0], points[2], points[3], points[5], points[4]];
        return this with { Left = width - Right, Right = width - Left, Points = points };
    }

    /// <summary>Common area over united area.</summary>
    public double Overlap(DetectedFace other)
    {
        double common = Common(other),
            united = Width * Height + other.Width * other.Height - common;
        return united > 0 ? common / united : 0;
    }

    /// <summary>Common area over the smaller of both areas.</summary>
    public double Within(DetectedFace other)
    {
        double smaller = Math.Min(Width * Height, other.Width * other.Height);
        return smaller > 0 ? Common(other) / smaller : 0;
    }

    /// <summary>Whether a point lies in the box.</summary>
    public bool Holds((double X, double Y) point) => point.X >= Left && point.X <= Right && point.Y >= Top && point.Y <= Bottom;

    private double Common(DetectedFace other) =>
        Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
        * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
}
