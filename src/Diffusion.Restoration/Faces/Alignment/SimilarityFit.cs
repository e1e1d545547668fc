using Diffusion.Imaging;

namespace Diffusion.Faces;

/// <summary>The similarity (turn, enlargement, shift) that carries points best onto others.</summary>
public static class SimilarityFit
{
    private const double Scatter = 1.4826,
        Inlier = 2.5,
        Floor = 1e-6;

    /// <summary>Least squares (Umeyama 1991 without reflections).</summary>
    /// <exception cref="ArgumentException">Fewer than two points, or all in one place.</exception>
    public static Affine LeastSquares(IReadOnlyList<(double X, double Y)> from, IReadOnlyList<(double X, double Y)> to)
    {
        if (from.Count != to.Count || from.Count < 2)
            throw new ArgumentException($"A similarity needs two pairs of points or more, not {from.Count} and {to.Count} points.");
        (double X, double Y) a = Center(from),
            b = Center(to);
        double variance = 0,
            dot = 0,
            cross = 0;
        foreach (((double X, double Y) p, (double X, double Y) q) in from.Zip(to))
        {
            (double px, double py, double qx, double qy) = (p.X - a.X, p.Y - a.Y, q.X - b.X, q.Y - b.Y);
            variance += px * px + py * py;
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
        }
        if (!(variance > 0))
            throw new ArgumentException("A similarity cannot be fitted to points that lie in one place.");
        // In the plane the optimum has a closed form: the complex number <p, q> / <p, p> scales and turns at once.
        (double re, double im) = (dot / variance, cross / variance);
        return new Affine(re, -im, b.X - re * a.X + im * a.Y, im, re, b.Y - im * a.X - re * a.Y);
    }

    /// <summary>
    /// Least median of squares (Rousseeuw 1984): of the similarities through two pairs each, the one with the least median distance tells
    /// outliers from the rest, which a least-squares fit then uses. Up to just under half of the points may be wrong. Every pair is tried:
    /// no randomness.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than two points, or all in one place.</exception>
    public static Affine Robust(IReadOnlyList<(double X, double Y)> from, IReadOnlyList<(double X, double Y)> to)
    {
        Affine all = LeastSquares(from, to);
        if (from.Count < 4)
            return all;
        (Affine best, double least) = (all, Median(Distances(all, from, to)));
        for (int i = 0; i < from.Count; i++)
        for (int j = i + 1; j < from.Count; j++)
        {
            if (from[i] == from[j])
                continue;
            Affine through = LeastSquares([from[i], from[j]], [to[i], to[j]]);
            double median = Median(Distances(through, from, to));
            if (median < least)
                (best, least) = (through, median);
        }
        double spread = to.Max(point => Math.Abs(point.X) + Math.Abs(point.Y)) * Floor;
        double bound = Math.Max(Inlier * Scatter * (1 + 5.0 / Math.Max(1, from.Count - 2)) * least, spread);
        double[] distances = Distances(best, from, to);
        int[] kept = [.. Enumerable.Range(0, from.Count).Where(k => distances[k] <= bound)];
        return kept.Length < 2 ? all : LeastSquares([.. kept.Select(k => from[k])], [.. kept.Select(k => to[k])]);
    }

    private static double[] Distances(Affine map, IReadOnlyList<(double X, double Y)> from, IReadOnlyList<(double X, double Y)> to) =>
        [.. from.Zip(to, (p, q) =>
            {
                (double x, double y) = map.Apply(p.X, p.Y);
                return Math.Sqrt((x - q.X) * (x - q.X) + (y - q.Y) * (y - q.Y));
            })];

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static (double X, double Y) Center(IReadOnlyList<(double X, double Y)> points) =>
        (points.Average(point => point.X), points.Average(point => point.Y));
}
