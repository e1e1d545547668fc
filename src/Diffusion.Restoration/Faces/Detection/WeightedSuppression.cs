namespace Diffusion.Faces;

/// <summary>MediaPipe's weighted non-maximum suppression: boxes that overlap the best one are averaged into it.</summary>
internal static class WeightedSuppression
{
    /// <summary>Joins detections.</summary>
    /// <param name="candidates">In the order of their anchors: of equal scores the earlier wins.</param>
    /// <param name="threshold">Overlaps strictly above it are joined; the overlap is with the best box, not with the
    /// average.</param>
    /// <returns>
    /// Best first. Score of the best; borders and points are averages weighted by score over all boxes joined.
    /// </returns>
    public static List<DetectedFace> Apply(IEnumerable<DetectedFace> candidates, double threshold)
    {
        List<DetectedFace> remaining = [.. candidates.OrderByDescending(candidate => candidate.Score)],
            result = [];
        while (remaining.Count > 0)
        {
            DetectedFace best = remaining[0];
            List<DetectedFace> joined = remaining.FindAll(candidate => candidate.Overlap(best) > threshold);
            if (joined.Count == 0) // The best box has no area: published code ends here.
            {
                result.Add(best);
                break;
            }
            result.Add(Average(best.Score, joined));
            remaining.RemoveAll(joined.Contains);
        }
        return result;
    }

    /// <summary>Borders and points averaged over several views of one face, weighted by score.</summary>
    public static DetectedFace Average(double score, IReadOnlyList<DetectedFace> joined)
    {
        double sum = joined.Sum(face => face.Score);
        double Mean(Func<DetectedFace, double> value) => joined.Sum(face => face.Score * value(face)) / sum;
        return new DetectedFace(
            score,
            Mean(face => face.Left),
            Mean(face => face.Top),
            Mean(face => face.Right),
            Mean(face => face.Bottom),
            [.. Enumerable.Range(0, joined[0].Points.Count).Select(k => (Mean(face => face.Points[k].X), Mean(face => face.Points[k].Y)))]
        );
    }
}
