namespace Diffusion.Synthesis.Small;

/// <summary>
/// Brings a change to an asked mu and sigma: c becomes sign(c) a |c|^g, whose amplitude a moves both and whose exponent g moves sigma
/// against mu. Where things changed, and which way, stays; the exponent stays within bounds, so that the look does, too.
/// </summary>
public static class ChangeFit
{
    private const double LeastExponent = 0.5,
        MostExponent = 2,
        Close = 1e-3;
    private const int Halvings = 14;

    /// <summary>Fits.</summary>
    /// <param name="clean">[1,3,H,W] on [0,1]; borrowed.</param>
    /// <param name="change">[1,3,H,W]; borrowed.</param>
    /// <param name="asked">What the distance of the pair shall be.</param>
    /// <returns>The degraded picture [1,3,H,W], 8-bit values on [0,1]; the caller owns it.</returns>
    public static Tensor Fit(Tensor clean, Tensor change, Intensity asked)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor sign = change.sign(),
            size = change.abs().clamp_min(1e-6),
            log = (size / size.max()).log();
        Tensor best = Added(clean, change);
        double nearest = Far(Intensity.Between(best, clean), asked);
        (double low, double high) = (LeastExponent, MostExponent);
        for (int i = 0; i < Halvings && nearest > Close; i++)
        {
            double exponent = i == 0 ? 1 : Math.Sqrt(low * high);
            using DisposeScope inner = torch.NewDisposeScope();
            (Tensor picture, Intensity measured) = WithMu(clean, sign * (exponent * log).exp(), asked.Mu);
            if (Far(measured, asked) is var far && far < nearest)
            {
                (nearest, Tensor before) = (far, best);
                best = picture.MoveToOuterDisposeScope();
                before.Dispose();
            }
            // A larger exponent gathers the change where it is large already.
            if (measured.Sigma < asked.Sigma)
                low = exponent;
            else
                high = exponent;
        }
        return best.MoveToOuterDisposeScope();
    }

    private static (Tensor Picture, Intensity Measured) WithMu(Tensor clean, Tensor shape, double mu)
    {
        double low = 0,
            high = 1;
        (Tensor Picture, Intensity Measured) Try(double amplitude)
        {
            Tensor picture = Added(clean, amplitude * shape);
            return (picture, Intensity.Between(picture, clean));
        }
        // Beyond 1 the largest change is clipped, the others go on growing.
        (Tensor Picture, Intensity Measured) last = Try(high);
        while (last.Measured.Mu < mu && high < 64)
            last = Try(high *= 2);
        for (int i = 0; i < Halvings && Math.Abs(last.Measured.Mu - mu) > Close * mu; i++)
        {
            double middle = (low + high) / 2;
            last = Try(middle);
            if (last.Measured.Mu < mu)
                low = middle;
            else
                high = middle;
        }
        return last;
    }

    private static Tensor Added(Tensor clean, Tensor change) => ((clean + change).clamp(0, 1) * 255 + 0.5).floor() / 255;

    private static double Far(Intensity measured, Intensity asked) =>
        Math.Abs(Math.Log(Math.Max(measured.Mu, 1e-5) / asked.Mu)) + Math.Abs(Math.Log(Math.Max(measured.Sigma, 1e-5) / asked.Sigma));
}
