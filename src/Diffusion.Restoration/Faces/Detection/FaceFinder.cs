using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Finds the faces of whole photographs of any size, large and small, leaning and turned, with their landmarks.</summary>
/// <remarks>
/// MediaPipe's full-range detector looks at every scale (<see cref="FaceFinderSettings.SmallestFace"/>), then closely at each guess. A
/// guess that the closer look doubts, or that leans more than 45 degrees, is looked at through quarter turns, and the turn that the
/// detector believes most is kept: landmarks look sure of upside-down faces too. Landmarks come from a second pass, through the square
/// that the first one gives.
/// Memory does not grow with the photograph. Immutable; may be used by several threads.
/// <code>
/// using FaceFinder finder = FaceFinder.Shipped();
/// using Picture photo = ImageFile.Read("photo.jpg");
/// foreach (Face face in finder.Find(photo.Pixels))
///     Console.WriteLine($"{face.Score:F2} at {face.Detection.Center}");
/// </code>
/// </remarks>
public sealed class FaceFinder : IDisposable
{
    private const double Guess = 0.2,
        Upright = Math.PI / 4,
        SamePlace = 0.5;
    private const int MaxDoubts = 16,
        Batch = 16;

    private readonly FaceDetector _detector;
    private readonly FaceLandmarker _landmarker;
    private readonly ScaleSearch _search;
    private readonly CloseLook _look;

    /// <summary>A finder; takes over both networks.</summary>
    /// <param name="detector">A convolutional detector: the full-range one.</param>
    /// <param name="landmarker">The landmarks.</param>
    /// <param name="settings">What counts as a face; null: the defaults.</param>
    public FaceFinder(FaceDetector detector, FaceLandmarker landmarker, FaceFinderSettings? settings = null)
    {
        (_detector, _landmarker, Settings) = (detector, landmarker, settings ?? new FaceFinderSettings());
        (_search, _look) = (new ScaleSearch(detector), new CloseLook(detector));
    }

    /// <summary>The finder with the networks that ship.</summary>
    /// <exception cref="CheckpointException">They are not installed.</exception>
    public static FaceFinder Shipped(FaceFinderSettings? settings = null) =>
        new(FaceDetector.FullRange(), FaceLandmarker.Shipped(), settings);

    /// <summary>What counts as a face.</summary>
    public FaceFinderSettings Settings { get; }

    /// <summary>Finds the faces of a picture in memory.</summary>
    /// <param name="picture">[1,C,H,W] float32 on [0,1], C = 3 or 1; borrowed.</param>
    /// <returns>Best first.</returns>
    /// <exception cref="ArgumentException">Another shape or dtype.</exception>
    public IReadOnlyList<Face> Find(Tensor picture)
    {
        if (picture.dim() != 4 || picture.shape[0] != 1 || picture.shape[1] is not (1 or 3) || picture.dtype != ScalarType.Float32)
            throw new ArgumentException(
                $"A photograph is [1,C,H,W] float32 with C = 1 or 3, not [{string.Join(",", picture.shape)}] {picture.dtype}.",
                nameof(picture)
            );
        using PhotoPyramid photo = PhotoPyramid.Of(picture);
        return Find(photo);
    }

    /// <summary>Finds the faces of a photograph that need not fit into memory.</summary>
    /// <param name="reader">Borrowed.</param>
    /// <returns>Best first.</returns>
    /// <exception cref="ImageException">The file is damaged.</exception>
    public IReadOnlyList<Face> Find(RegionReader reader)
    {
        using PhotoPyramid photo = PhotoPyramid.Of(reader);
        return Find(photo);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _detector.Dispose();
        _landmarker.Dispose();
    }

    private List<Face> Find(PhotoPyramid photo)
    {
        double smallest = Settings.SmallestIn(Math.Max(photo.Width, photo.Height));
        List<DetectedFace> found = [];
        for (int quarters = 0; quarters == 0 || (Settings.Turn && found.Count == 0 && quarters < 4); quarters++)
            found.AddRange(Confirmed(photo, _search.Everywhere(photo, smallest, quarters, Guess), quarters));
        return [.. Distinct(Landmarks(photo, found)).OrderByDescending(face => face.Score)];
    }

    /// <summary>The guesses that a closer look confirms, if need be through a quarter turn.</summary>
    private IEnumerable<DetectedFace> Confirmed(PhotoPyramid photo, IReadOnlyList<DetectedFace> guesses, int quarters)
    {
        DetectedFace?[] faces = [.. _look.At(photo, [.. guesses.Select(guess => (guess, quarters))])];
        bool IsSure(int k) =>
            faces[k] is { } face
            && face.Score >= Settings.Threshold
            && Leans(face, quarters) <= Upright
            && Leans(guesses[k], quarters) <= Upright;
        int[] doubts = [.. Enumerable.Range(0, faces.Length).Where(k => Settings.Turn && !IsSure(k)).Take(MaxDoubts)];
        DetectedFace SeenAt(int k) => faces[k] ?? guesses[k];
        (int At, int Turn)[] turns = [.. doubts.Zip(_look.BestTurns(photo, [.. doubts.Select(SeenAt)])).Where(t => t.Second != quarters)];
        IReadOnlyList<DetectedFace?> turned = _look.At(photo, [.. turns.Select(turn => (SeenAt(turn.At), turn.Turn))]);
        foreach (((int k, _), DetectedFace? face) in turns.Zip(turned))
            if ((face?.Score ?? 0) > (faces[k]?.Score ?? 0))
                faces[k] = face;
        return faces.OfType<DetectedFace>().Where(face => face.Score >= Settings.Threshold);
    }

    /// <summary>The angle between a face and the frame that it was seen in.</summary>
    private static double Leans(DetectedFace face, int quarters)
    {
        double angle = FaceSquare.Around(face).Rotation - quarters * Math.PI / 2;
        return Math.Abs(Math.IEEERemainder(angle, 2 * Math.PI));
    }

    private List<Face> Landmarks(PhotoPyramid photo, IReadOnlyList<DetectedFace> found)
    {
        List<Face> faces = [];
        foreach (DetectedFace[] some in found.Chunk(Batch))
        {
            Tensor Crop(FaceSquare square) =>
                photo.Sample(square.FromCrop(_landmarker.InputSize), _landmarker.InputSize, _landmarker.InputSize, WarpEdge.Replicate);
            IReadOnlyList<FaceLandmarks> first = _landmarker.Find(Crop, [.. some.Select(FaceSquare.Around)]);
            IReadOnlyList<FaceLandmarks> second = _landmarker.Find(Crop, [.. first.Select(face => FaceSquare.Around(face.Points))]);
            faces.AddRange(some.Zip(second, (detection, landmarks) => new Face(detection, landmarks)));
        }
        return faces;
    }

    /// <summary>Drops a weaker face whose landmarks lie where those of a stronger one do.</summary>
    private static List<Face> Distinct(IReadOnlyList<Face> faces)
    {
        List<Face> kept = [];
        foreach (Face face in faces.OrderByDescending(face => face.Score))
        {
            bool IsKnown(Face other) => face.HasLandmarks && other.HasLandmarks && Box(face).Overlap(Box(other)) > SamePlace;
            if (!kept.Exists(IsKnown))
                kept.Add(face);
        }
        return kept;
    }

    private static DetectedFace Box(Face face)
    {
        IReadOnlyList<FaceLandmark> points = face.Landmarks.Points;
        return new DetectedFace(0, points.Min(p => p.X), points.Min(p => p.Y), points.Max(p => p.X), points.Max(p => p.Y), []);
    }
}
