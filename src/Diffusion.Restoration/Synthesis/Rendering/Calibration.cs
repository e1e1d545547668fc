namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Finds the dials of a scene that give the asked mu and sigma: a grid of renderings of a small copy, then Gauss-Newton steps on the
/// logarithms, whose residuals are those of the whole picture and whose derivatives those of the small copy. Nothing in it is random.
/// </summary>
internal sealed class Calibration(Canvas clean, IScene scene, Canvas small, IScene smallScene)
{
    private const int Grid = 6,
        Steps = 7,
        Starts = 3;
    private const double Close = 0.02,
        Smallest = 0.0005,
        Step = 0.02;

    /// <summary>What counts as met: 10 %.</summary>
    public const double Tolerance = 0.1;

    /// <summary>Renders the picture nearest to what is asked.</summary>
    /// <returns>8-bit values, their distance from the clean picture, and whether both numbers are within the tolerance.</returns>
    public (Canvas Picture, Intensity Measured, bool IsMet) Find(Intensity asked, CancellationToken cancellation)
    {
        (double S, double C, double Far)[] starts =
        [
            .. from i in Enumerable.Range(0, Grid)
            from j in Enumerable.Range(0, Grid)
            let s = (i + 0.5) / Grid
            let c = (j + 0.5) / Grid
            let far = Norm(Residual(Measure(smallScene, small, s, c), asked))
            orderby far
            select (s, c, far),
        ];
        (Canvas Picture, Intensity Measured, double Far) best = (null!, default, double.MaxValue);
        foreach ((double s, double c, _) in starts.Where((_, k) => k % 3 == 0).Take(Starts))
        {
            Descend(s, c, asked, ref best, cancellation);
            if (IsWithin(best.Measured, asked, Tolerance))
                break;
        }
        return (best.Picture, best.Measured, IsWithin(best.Measured, asked, Tolerance));
    }

    private void Descend(
        double s,
        double c,
        Intensity asked,
        ref (Canvas Picture, Intensity Measured, double Far) best,
        CancellationToken cancellation
    )
    {
        double reach = 0.3,
            last = double.MaxValue;
        (double S, double C) from = (s, c);
        for (int step = 0; step < Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            Canvas picture = scene.Render(s, c).Quantize();
            Intensity measured = Canvas.Distance(picture, clean);
            (double Mu, double Sigma) residual = Residual(measured, asked);
            double far = Norm(residual);
            if (far < best.Far)
                best = (picture, measured, far);
            if (IsWithin(measured, asked, Close))
                return;
            if (far > last * 0.999)
            {
                // Worse than before: half of the way.
                reach *= 0.5;
                (s, c) = ((from.S + s) / 2, (from.C + c) / 2);
                continue;
            }
            (from, last) = ((s, c), far);
            (double ds, double dc) = Move(s, c, residual, asked);
            double length = Math.Max(Math.Abs(ds), Math.Abs(dc));
            if (length < 1e-4)
                return;
            double scale = Math.Min(1, reach / length);
            (s, c) = (Math.Clamp(s + scale * ds, 0, 1), Math.Clamp(c + scale * dc, 0, 1));
        }
    }

    /// <summary>The step that removes the residual by the small copy's derivatives, within the dials' range.</summary>
    private (double S, double C) Move(double s, double c, (double Mu, double Sigma) r, Intensity asked)
    {
        (double Mu, double Sigma) At(double a, double b) => Residual(Measure(smallScene, small, a, b), asked);
        (double lowS, double highS) = (Math.Max(0, s - Step), Math.Min(1, s + Step));
        (double lowC, double highC) = (Math.Max(0, c - Step), Math.Min(1, c + Step));
        (double Mu, double Sigma) bs = At(highS, c),
            @as = At(lowS, c),
            bc = At(s, highC),
            ac = At(s, lowC);
        (double ms, double ss) = ((bs.Mu - @as.Mu) / (highS - lowS), (bs.Sigma - @as.Sigma) / (highS - lowS));
        (double mc, double sc) = ((bc.Mu - ac.Mu) / (highC - lowC), (bc.Sigma - ac.Sigma) / (highC - lowC));
        // (J^T J + damping) d = -J^T r.
        const double Damping = 1e-3;
        double a11 = ms * ms + ss * ss + Damping,
            a22 = mc * mc + sc * sc + Damping,
            a12 = ms * mc + ss * sc;
        double g1 = -(ms * r.Mu + ss * r.Sigma),
            g2 = -(mc * r.Mu + sc * r.Sigma);
        double det = a11 * a22 - a12 * a12;
        (double ds, double dc) = ((a22 * g1 - a12 * g2) / det, (a11 * g2 - a12 * g1) / det);
        // A dial at its end stays there; the other goes on alone.
        if ((s <= 0 && ds < 0) || (s >= 1 && ds > 0))
            (ds, dc) = (0, g2 / a22);
        if ((c <= 0 && dc < 0) || (c >= 1 && dc > 0))
            (ds, dc) = ((s <= 0 && g1 < 0) || (s >= 1 && g1 > 0) ? 0 : g1 / a11, 0);
        return (ds, dc);
    }

    private static Intensity Measure(IScene scene, Canvas clean, double s, double c) =>
        Canvas.Distance(scene.Render(s, c).Quantize(), clean);

    private static (double Mu, double Sigma) Residual(Intensity measured, Intensity asked) =>
        (Logarithm(measured.Mu) - Logarithm(asked.Mu), Logarithm(measured.Sigma) - Logarithm(asked.Sigma));

    private static double Norm((double Mu, double Sigma) residual) => residual.Mu * residual.Mu + residual.Sigma * residual.Sigma;

    private static double Logarithm(double value) => Math.Log(Math.Max(value, Smallest));

    private static bool IsWithin(Intensity measured, Intensity asked, double part) =>
        Math.Abs(measured.Mu - asked.Mu) <= part * asked.Mu && Math.Abs(measured.Sigma - asked.Sigma) <= part * asked.Sigma;
}
