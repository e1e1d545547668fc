namespace Diffusion.Inverse;

/// <summary>Counts photons: measured values by how many of them would be counted.</summary>
public static class ShotNoise
{
    // From here on the quantile's expansion is off by less than a hundredth of a standard deviation.
    private const double Many = 100;

    /// <summary>Poisson counts of mean signal / gain, times gain.</summary>
    /// <param name="signal">[...]: measured values without noise, of any shape; below 0 nothing is counted; borrowed.</param>
    /// <param name="gain">What a photon adds to a value, greater than 0.</param>
    /// <param name="draws">
    /// Standard normal numbers in the shape of <paramref name="signal"/>, which choose the quantiles: equal draws, equal counts; borrowed.
    /// </param>
    /// <returns>The same shape, float32; the caller owns it.</returns>
    public static Tensor Count(Tensor signal, double gain, Tensor draws)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor normal = draws.to(ScalarType.Float64).cpu(),
            mean = signal.to(ScalarType.Float64).cpu().clamp_min(0) / gain;
        Tensor counts = (mean + normal * mean.sqrt() + (normal.square() - 1) / 6).round().clamp_min(0);
        Tensor few = mean.le(Many),
            below = torch.special.erfc(normal / -Math.Sqrt(2)) / 2;
        double[] quantiles = [.. mean.masked_select(few).data<double>().Zip(below.masked_select(few).data<double>(), Quantile)];
        if (quantiles.Length > 0)
            counts.masked_scatter_(few, torch.tensor(quantiles));
        return (counts * gain).to(ScalarType.Float32).to(signal.device).MoveToOuterDisposeScope();
    }

    // The least count whose probability, with that of all below it, is at least this.
    private static double Quantile(double mean, double below)
    {
        const int Most = 1000;
        double probability = Math.Exp(-mean),
            sum = probability;
        int count = 0;
        for (; sum < below && count < Most; sum += probability)
            probability *= mean / ++count;
        return count;
    }
}
