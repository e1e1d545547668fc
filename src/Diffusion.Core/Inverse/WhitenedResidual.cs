using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// The mean of (A x - y)^2 / sigma^2 over the M measured values: near 1 when the operator and the noise level explain the measurement, far
/// from it when one of them is wrong.
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

    /// <summary>
    /// Up to where the residual of a restored picture is no fault: 1.5; of operators that leave a part of the picture open a fiftieth of
    /// the measurement's power, and 50 at least.
    /// </summary>
    /// <remarks>
    /// A picture that a network has the last word on misses the measured values by its own error. Where the measurement leaves much to the
    /// prior (mosaics, some frequencies, few angles), that is a share of the picture rather than of the noise: only more than that tells of
    /// another operator. The limits are coarse: they come from right operators on two photographs (up to 168 for sixteen angles at noise
    /// 0.005), and a wrong noise level or a slightly wrong operator stays below them.
    /// </remarks>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]: what it measured; borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise, greater than 0.</param>
    public static double Limit(LinearOperator a, Tensor y, double sigma)
    {
        const double Complete = 1.5,
            InPart = 50,
            Share = 0.02;
        OperatorTraits traits = a.Traits;
        bool smooths = traits.Blur || (traits.Reduction > 1 && traits.RowNormSquared is null);
        if (traits.Mask || smooths || a.MeasurementCount >= a.Input.Count)
            return Complete;
        using DisposeScope scope = torch.NewDisposeScope();
        return Math.Max(InPart, Share * y.square().mean().item<float>() / (sigma * sigma));
    }

    /// <summary>A hint for the user when a restored picture's residual is far above 1; null when it is not.</summary>
    /// <param name="residual">The whitened residual.</param>
    /// <param name="limit">Up to where it is no fault: <see cref="Limit"/>.</param>
    /// <remarks>Below 1 is no fault: where there are fewer values than pixels, a picture may fit the noise too.</remarks>
    public static string? Hint(double residual, double limit) =>
        residual > limit
            ? $"The restored picture does not explain the measurement (whitened residual {residual:0.##}, expected about 1): the noise may "
                + $"be {Math.Sqrt(residual):0.##} times stronger than given, or the operator another one"
            : null;
}
