using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Looks for faces at every scale of a photograph: the detector is convolutional and slides over it.</summary>
/// <remarks>
/// From one scale to the next faces grow by the square root of two, so that a face is seen by three or more of them at a size
/// that the detector
/// knows. The mean of its three best scores is the score: what one scale alone believes is seldom a face.
/// </remarks>
internal sealed class ScaleSearch(FaceDetector detector)
{
    /// <summary>Scales whose scores are averaged.</summary>
    public const int Scales = 3;

    private const double Step = 1.4142135623730951,
        Coarsest = 2,
        SmallestSeen = 12,
        Weak = 0.05,
        Nested = 0.6,
        Rim = 2;
    private const int Multiple = 64,
        Tile = 768,
        Lap = 128;

    /// <summary>The faces of a photograph, best first, down to a score.</summary>
    /// <param name="photo">Borrowed.</param>
    /// <param name="smallest">Side of the smallest face, pixels of the photograph.</param>
    /// <param name="quarters">Quarter turns, clockwise, of the frame that is looked through.</param>
    /// <param name="threshold">Least score.</param>
    public IReadOnlyList<DetectedFace> Everywhere(PhotoPyramid photo, double smallest, int quarters, double threshold)
    {
        double longer = Math.Max(photo.Width, photo.Height),
            finest = Math.Min(smallest / SmallestSeen, longer / detector.Settings.InputSize);
        List<(int Level, DetectedFace Face)> seen = [];
        double scale = Coarsest * longer / detector.Settings.InputSize;
        for (int level = 0; level == 0 || scale >= finest; level++, scale /= Step)
            seen.AddRange(AtScale(photo, scale, quarters).Select(face => (level, face)));
        return Agree(seen, threshold);
    }

    private List<DetectedFace> AtScale(PhotoPyramid photo, double scale, int quarters)
    {
        bool lying = quarters % 2 == 1;
        int width = Rounded((lying ? photo.Height : photo.Width) / scale),
            height = Rounded((lying ? photo.Width : photo.Height) / scale);
        Affine whole = Turned((photo.Width / 2.0, photo.Height / 2.0), scale, quarters, width, height);
        List<DetectedFace> found = [];
        foreach ((int top, int tileHeight) in Tiles(height))
        foreach ((int left, int tileWidth) in Tiles(width))
        {
            using ComputeScope scope = new();
            Affine view = new Affine(1, 0, left, 0, 1, top).Then(whole);
            Tensor input = Input(photo, view, tileHeight, tileWidth);
            bool Inside(DetectedFace face) =>
                (left == 0 || face.Left >= Rim)
                && (top == 0 || face.Top >= Rim)
                && (left + tileWidth == width || face.Right <= tileWidth - Rim)
                && (top + tileHeight == height || face.Bottom <= tileHeight - Rim);
            IReadOnlyList<DetectedFace> candidates = detector.Candidates(detector.Evaluate(input), input, Weak)[0];
            found.AddRange(detector.Suppress(candidates).Where(Inside).Select(face => face.Through(view)));
        }
        return found;
    }

    /// <summary>Joins what the scales say.</summary>
    private List<DetectedFace> Agree(IEnumerable<(int Level, DetectedFace Face)> seen, double threshold)
    {
        List<(DetectedFace Best, Dictionary<int, double> Scores)> faces = [];
        foreach ((int level, DetectedFace face) in seen.OrderByDescending(entry => entry.Face.Score))
        {
            int known = faces.FindIndex(other => IsSame(other.Best, face));
            if (known < 0)
                faces.Add((face, new() { [level] = face.Score }));
            else if (face.Overlap(faces[known].Best) > detector.Settings.OverlapThreshold)
                faces[known].Scores.TryAdd(level, face.Score);
        }
        return
        [
            .. faces
                .Select(face => face.Best with { Score = face.Scores.Values.OrderDescending().Take(Scales).Sum() / Scales })
                .Where(face => face.Score >= threshold)
                .OrderByDescending(face => face.Score),
        ];
    }

    /// <summary>Whether two boxes are one face: they overlap, or one lies in the other as a mouth does in a face.</summary>
    private bool IsSame(DetectedFace a, DetectedFace b) => a.Overlap(b) > detector.Settings.OverlapThreshold || a.Within(b) > Nested;

    private static Tensor Input(PhotoPyramid photo, Affine view, int height, int width)
    {
        using ComputeScope scope = new();
        return scope.Return(photo.Sample(view, height, width, WarpEdge.Cut) * 2 - 1);
    }

    /// <summary>The map from a frame of height x width pixels, turned by quarters about its middle, to the photograph.</summary>
    private static Affine Turned((double X, double Y) center, double scale, int quarters, int width, int height)
    {
        Affine turn = Affine.Similarity(scale, quarters * Math.PI / 2, 0, 0);
        (double x, double y) = turn.Apply(width / 2.0, height / 2.0);
        return turn with { C = center.X - x, F = center.Y - y };
    }

    private int Rounded(double side) =>
        Math.Max(detector.Settings.InputSize, ((int)Math.Ceiling(side) + Multiple - 1) / Multiple * Multiple);

    private static IEnumerable<(int Start, int Length)> Tiles(int side)
    {
        for (int start = 0; ; start += Tile - Lap)
        {
            int length = Math.Min(Tile, side - start);
            yield return (start, length);
            if (start + length == side)
                yield break;
        }
    }
}
