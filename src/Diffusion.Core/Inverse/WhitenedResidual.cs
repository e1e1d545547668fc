using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// The mean of (A x - y)^2 / sigma^2 over the M measured values: near 1 when the operator and the noise level explain the measurement, far
/// from it when one of them is
/// wrong.
/// </summary>
public static class WhitenedResidual
{
    /// <summary>The whitened residual of each picture.</summary>
    /// <param name="problem">The measurement; its noise must be greater than 0.</param>
    /// <param name="x">[N, Input] on the scale of the problem; borrowed.</param>
    /// <returns>One number per picture. Of the true picture it is 1 +- sqrt(2 / M) with M measured values.</returns>
    /// <exception cref="ArgumentException">The measurement has no noise.</exception>
    public static double[] Of(InverseProblem problem, Tensor x)
    {
        double[] sigmas = [.. Enumerable.Range(0, (int)problem.Batch).Select(picture => problem.Noise[picture])];
        if (sigmas.Contains(0))
            throw new ArgumentException("A noiseless measurement has no whitened residual.", nameof(problem));
        using ComputeScope scope = new();
        Tensor residual = problem.A.Restrict(problem.A.Apply(x) - problem.Y);
        if (problem.Unevenness is { } uneven)
            residual = residual / uneven;
        Tensor squares = residual.square().reshape(residual.shape[0], -1).sum(1, type: ScalarType.Float64);
        return [.. squares.data<double>().Zip(sigmas, (square, sigma) => square / (problem.A.MeasurementCount * sigma * sigma))];
    }

    /// <summary>A hint for the user when a restored picture's residual is far from 1; null when it is not.</summary>
    /// <param name="residual">The whitened residual.</param>
    /// <returns>A restored picture may fit somewhat too well or too badly: only a factor of 2 below or 1.5 above is worth a word.</returns>
    public static string? Hint(double residual) =>
        residual switch
        {
            > 1.5 => $"The restored picture does not explain the measurement (whitened residual {residual:0.##}, expected about 1): the "
                + $"noise may be {Math.Sqrt(residual):0.##} times stronger than given, or the operator another one",
            < 0.5 => $"The restored picture fits the measurement too closely (whitened residual {residual:0.##}, expected about 1): the "
                + $"noise may be weaker than given",
            _ => null,
        };
}
