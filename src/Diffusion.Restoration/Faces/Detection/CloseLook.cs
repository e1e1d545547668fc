using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Looks again at places of a photograph: a face is one in squares of two sizes, as it is and in the mirror.</summary>
/// <remarks>
/// The mean score of the four looks tells faces from what resembles one at one scale only: in 120 photographs of everything it left 26 of
/// 228 guesses, all of them faces (one of stone).
/// </remarks>
internal sealed class CloseLook(FaceDetector detector)
{
    private const double Close = 2.5,
        Middle = 3.5,
        Wide = 5,
        Seen = 0.01;
    private const int Batch = 24;

    private readonly record struct View(DetectedFace Guess, double Enlarged, int Quarters, bool Mirrored);

    /// <summary>
    /// The face at each guess, seen through a quarter turn: the score is the mean over all looks, box and points are averages weighted by
    /// score. Null where no look sees a face.
    /// </summary>
    public IReadOnlyList<DetectedFace?> At(PhotoPyramid photo, IReadOnlyList<(DetectedFace Guess, int Quarters)> places)
    {
        View[] views =
        [
            .. places.SelectMany(place =>
                new[] { Close, Wide }.SelectMany(size =>
                    new[] { false, true }.Select(mirrored => new View(place.Guess, size, place.Quarters, mirrored))
                )
            ),
        ];
        return [.. Look(photo, views).Chunk(4).Select(Mean)];
    }

    /// <summary>The quarter turn, clockwise, through which each guess looks most like a face at first sight.</summary>
    public IReadOnlyList<int> BestTurns(PhotoPyramid photo, IReadOnlyList<DetectedFace> guesses)
    {
        View[] views = [.. guesses.SelectMany(guess => Enumerable.Range(0, 4).Select(turn => new View(guess, Middle, turn, false)))];
        return [.. Look(photo, views).Chunk(4).Select(turns => Enumerable.Range(0, 4).MaxBy(turn => turns[turn]?.Score ?? 0))];
    }

    private static DetectedFace? Mean(DetectedFace?[] looks)
    {
        DetectedFace[] seen = [.. looks.OfType<DetectedFace>()];
        return seen.Length == 0 ? null : WeightedSuppression.Average(seen.Sum(face => face.Score) / looks.Length, seen);
    }

    private List<DetectedFace?> Look(PhotoPyramid photo, View[] views)
    {
        int size = detector.Settings.InputSize;
        List<DetectedFace?> faces = [];
        foreach (View[] some in views.Chunk(Batch))
        {
            using ComputeScope scope = new();
            Affine[] maps = [.. some.Select(view => Map(view, size))];
            Tensor Sample(View view, Affine map)
            {
                Tensor square = photo.Sample(map, size, size, WarpEdge.Cut) * 2 - 1;
                return view.Mirrored ? square.flip(3) : square;
            }
            Tensor batch = torch.cat([.. some.Zip(maps, Sample)]);
            IReadOnlyList<DetectedFace>[] found = detector.Candidates(detector.Evaluate(batch), batch, Seen);
            for (int n = 0; n < some.Length; n++)
                faces.Add(
                    found[n]
                        .Select(face => (some[n].Mirrored ? face.Mirrored(size) : face).Through(maps[n]))
                        .Where(face => face.Overlap(some[n].Guess) > detector.Settings.OverlapThreshold)
                        .MaxBy(face => face.Score)
                );
        }
        return faces;
    }

    private static Affine Map(View view, int size)
    {
        DetectedFace guess = view.Guess;
        double side = view.Enlarged * Math.Max(guess.Width, guess.Height);
        return new FaceSquare(guess.Center.X, guess.Center.Y, side, view.Quarters * Math.PI / 2).FromCrop(size);
    }
}
