using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>How a restored picture explains a measurement.</summary>
/// <param name="Residual">The whitened residual: ||A x - y||^2 over what the noise alone is expected to leave.</param>
/// <param name="Unexplained">
/// What of it remains in the picture nearby that explains the measurement best: the operator or the noise has to answer for it.
/// </param>
/// <param name="Values">Measured values that tell; 0 where there is no noise to compare with.</param>
public readonly record struct Misfit(double Residual, double Unexplained, long Values)
{
    /// <summary>The misfit of this and other values together.</summary>
    public Misfit With(Misfit other)
    {
        long values = Values + other.Values;
        double share = values == 0 ? 0 : (double)other.Values / values;
        return new(Residual + share * (other.Residual - Residual), Unexplained + share * (other.Unexplained - Unexplained), values);
    }
}

/// <summary>
/// The mean of (A x - y)^2 over the power of the noise, over the M measured values: near 1 when the operator and the noise level explain
/// the measurement, far from it when one of them is wrong.
/// </summary>
/// <remarks>
/// <para>
/// Of the true picture it is 1 +- sqrt(2 / M), whatever the operator. To the noise belongs what rounding to 8 bits adds, step^2 / 12; a
/// value that was clipped tells nothing, and is left out.
/// </para>
/// <para>
/// A picture that a network has the last word on differs from the truth by the network's error as well. In components that are measured
/// well that may be more than the noise (frequencies, mosaics, few angles), and is no fault of operator or noise. So the picture is first
/// moved by as much as a prior's error allows, to argmin ||A x - y||^2 / sigma^2 + ||x - x0||^2 / e^2, and only what is left then counts. A
/// measurement with fewer values than pixels that are all measured well can be explained by some picture whatever its operator was: then
/// nothing is left, and nothing can be said.
/// </para>
/// </remarks>
public static class WhitenedResidual
{
    /// <summary>A prior's error on [0,1] beside what it makes of the noise, and the share of the noise's power in it.</summary>
    private const double PriorError = 0.03,
        NoiseShare = 0.1;

    /// <summary>A noise level is seldom known better than to a fifth of it: 1.2^2, and a little for the operator.</summary>
    private const double Tolerance = 1.5;

    /// <summary>Standard deviations of the residual, sqrt(2 / M), that chance may add.</summary>
    private const double Chance = 5;

    /// <summary>
    /// rho of the step that moves a picture by as much as a prior's error allows: the power of the noise over that of the error.
    /// </summary>
    /// <param name="sigma">Standard deviation of the noise, greater than 0.</param>
    /// <param name="range">The scale that it is on.</param>
    public static double Pull(double sigma, PixelRange range)
    {
        double unit = range == PixelRange.Symmetric ? 2 : 1;
        return 1 / (Math.Pow(PriorError * unit / sigma, 2) + NoiseShare);
    }

    /// <summary>The misfit of each picture.</summary>
    /// <param name="problem">The measurement; its noise must be greater than 0.</param>
    /// <param name="x">[N, Input] on the scale of the problem; borrowed.</param>
    /// <exception cref="ArgumentException">The measurement has no noise.</exception>
    public static Misfit[] Of(InverseProblem problem, Tensor x)
    {
        if (Enumerable.Range(0, (int)problem.Batch).Any(picture => problem.Noise[picture] == 0))
            throw new ArgumentException("A noiseless measurement has no whitened residual.", nameof(problem));
        using ComputeScope scope = new();
        return
        [
            .. Enumerable
                .Range(0, (int)problem.Batch)
                .Select(picture => OfOne(problem.Batch == 1 ? problem : problem.Select([picture]), x.narrow(0, picture, 1))),
        ];
    }

    /// <summary>Up to where <see cref="Misfit.Unexplained"/> is no fault of so many values.</summary>
    public static double Limit(long values) => Tolerance + Chance * Math.Sqrt(2.0 / Math.Max(1, values));

    /// <summary>A hint for the user when a restored picture does not explain its measurement; null when it does.</summary>
    /// <remarks>Below 1 is no fault: where there are fewer values than pixels, a picture may fit the noise too.</remarks>
    public static string? Hint(Misfit misfit) =>
        misfit.Values > 0 && misfit.Unexplained > Limit(misfit.Values)
            ? $"The restored picture does not explain the measurement (whitened residual {misfit.Residual:0.##}, expected about 1): the "
                + $"noise may be {Math.Sqrt(misfit.Residual):0.##} times stronger than given, or the operator another one"
            : null;

    private static Misfit OfOne(InverseProblem problem, Tensor x)
    {
        LinearOperator a = problem.A;
        double sigma = problem.Noise[0];
        Tensor counted = Telling(problem);
        long values = (long)counted.sum(ScalarType.Float64).item<double>();
        if (values == 0)
            return default;
        Tensor power = (sigma * (problem.Unevenness ?? torch.ones_like(counted))).square() + Rounding(problem);
        double left = Left(x);
        if (left <= Limit(values))
            return new(left, left, values);
        InverseProblem white = problem.Whitened();
        using LinearOperator? own = problem.Unevenness is null ? null : white.A;
        Tensor nearby = x - white.A.PseudoInverse(white.A.Apply(x) - white.Y, Pull(sigma, problem.Range), Coarse);
        return new(left, Math.Min(left, Left(nearby)), values);

        double Left(Tensor picture) =>
            ((a.Apply(picture) - problem.Y).square() / power * counted).sum(ScalarType.Float64).item<double>() / values;
    }

    private static SolveRequest Coarse { get; } = new() { Precision = new SolvePrecision(1e-3) };

    // 1 where a value is measured and was not clipped.
    private static Tensor Telling(InverseProblem problem)
    {
        Tensor y = problem.Y,
            measured = problem.A.Restrict(torch.ones_like(y));
        bool isPicture = problem.A.Output.IsImage && problem.Range == PixelRange.Unit;
        if (!isPicture || y.min().item<float>() < 0 || y.max().item<float>() > 1)
            return measured;
        return measured * y.gt(0).logical_and(y.lt(1)).to(measured.dtype);
    }

    // The power of rounding to 8 bits, where that happened.
    private static double Rounding(InverseProblem problem)
    {
        const double Steps = 255,
            Slack = 1e-2;
        if (!problem.A.Output.IsImage || problem.Range != PixelRange.Unit)
            return 0;
        Tensor steps = problem.Y * Steps;
        return (steps - steps.round()).abs().max().item<float>() < Slack ? 1 / (Steps * Steps * 12) : 0;
    }
}
