namespace Diffusion.Metrics;

/// <summary>Fits asymmetric generalised Gaussian distributions by moments (Lasmar et al. 2009), as NIQE does.</summary>
/// <remarks>
/// R = (mean|x|)^2 / mean(x^2) * (g^3 + 1)(g + 1)/(g^2 + 1)^2 with g = left/right deviation; alpha is the grid value whose
/// Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) is nearest to R; beta = deviation * sqrt(Gamma(1/alpha)/Gamma(3/alpha)).
/// </remarks>
internal static class Aggd
{
    private const double First = 0.2,
        Step = 0.001;
    private const int Count = 9801;

    private static readonly Lazy<Table> Grid = new(() => new Table());

    /// <summary>Fits every row.</summary>
    /// <param name="samples">[n,k] float64.</param>
    /// <returns>One fit a row. A row without negative or positive values has NaN deviations, as in the published code.</returns>
    public static Fit[] FitRows(Tensor samples)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor negative = samples.lt(0).to(ScalarType.Float64),
            positive = samples.gt(0).to(ScalarType.Float64),
            squares = samples.square();
        double[] left = Values(((squares * negative).sum(1) / negative.sum(1)).sqrt());
        double[] right = Values(((squares * positive).sum(1) / positive.sum(1)).sqrt());
        double[] ratio = Values(samples.abs().mean([1]).square() / squares.mean([1]));
        Fit[] fits = new Fit[left.Length];
        for (int i = 0; i < fits.Length; i++)
        {
            double g = left[i] / right[i],
                g2 = g * g;
            fits[i] = Grid.Value.Lookup(ratio[i] * (g2 * g + 1) * (g + 1) / ((g2 + 1) * (g2 + 1)), left[i], right[i]);
        }
        return fits;
    }

    private static double[] Values(Tensor row) => row.data<double>().ToArray();

    /// <summary>A fitted distribution.</summary>
    /// <param name="Alpha">Shape.</param>
    /// <param name="Left">Scale of the negative side.</param>
    /// <param name="Right">Scale of the positive side.</param>
    /// <param name="MeanFactor">Gamma(2/alpha)/Gamma(1/alpha).</param>
    public readonly record struct Fit(double Alpha, double Left, double Right, double MeanFactor)
    {
        /// <summary>The mean, (Right - Left) Gamma(2/alpha)/Gamma(1/alpha).</summary>
        public double Mean => (Right - Left) * MeanFactor;
    }

    /// <summary>The moment ratio and the factors on the published grid of shapes, 0.2 to 10.</summary>
    private sealed class Table
    {
        private readonly double[] _ratio,
            _scale,
            _mean;

        public Table()
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor reciprocal = (First + Step * torch.arange(Count, dtype: ScalarType.Float64)).reciprocal();
            Tensor log1 = reciprocal.lgamma(),
                log2 = (2 * reciprocal).lgamma(),
                log3 = (3 * reciprocal).lgamma();
            _ratio = Values((2 * log2 - log1 - log3).exp());
            _scale = Values((0.5 * (log1 - log3)).exp());
            _mean = Values((log2 - log1).exp());
        }

        public Fit Lookup(double ratio, double left, double right)
        {
            int i = Nearest(ratio);
            return new Fit(First + Step * i, left * _scale[i], right * _scale[i], _mean[i]);
        }

        /// <summary>The ratio grows with the shape. NaN takes the first entry, as an argmin over NaN does.</summary>
        private int Nearest(double ratio)
        {
            if (double.IsNaN(ratio))
                return 0;
            int at = Array.BinarySearch(_ratio, ratio);
            if (at >= 0)
                return at;
            int above = ~at;
            if (above == 0 || above == Count)
                return Math.Min(above, Count - 1);
            return ratio - _ratio[above - 1] <= _ratio[above] - ratio ? above - 1 : above;
        }
    }
}
