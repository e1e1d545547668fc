using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>
/// The steps by which solvers bring a picture [N,C,H,W] nearer to the measurement, which has the shape of the operator's output. Tensors
/// that are given are borrowed; the caller owns the result.
/// </summary>
public static class DataStep
{
    /// <summary>
    /// argmin_x ||y - A x||^2 + rho ||x - z||^2 = (A^T A + rho I)^-1 (A^T y + rho z), written as a correction of z, z - A^T (A A^T + rho
    /// I)^-1 (A z - y):
    /// the same picture, but with nothing lost in float32 when rho is small, and the projection onto A x = y when rho is 0.
    /// </summary>
    public static Tensor Proximal(LinearOperator a, Tensor y, Tensor z, double rho, SolveRequest request) =>
        z - a.PseudoInverse(a.Apply(z) - y, rho, request);

    /// <summary>
    /// A last estimate, moved to the nearest picture that explains a noisy measurement: ||A x - y||^2 no more than the noise's power. The
    /// true picture does so too, and projecting onto a convex set that holds it brings nothing farther from it.
    /// </summary>
    /// <remarks>
    /// By the proximal step of the largest rho that suffices (Morozov's discrepancy principle). Where what it takes is more than a prior's
    /// error, <see cref="WhitenedResidual.Pull"/>, the noise or the operator is another one than was said, and the estimate stays.
    /// </remarks>
    /// <param name="run">The run; its noise is more than 0.</param>
    /// <param name="estimate">[N,C,H,W] on [-1,1]; borrowed.</param>
    /// <returns>[N,C,H,W]: <paramref name="estimate"/> itself where nothing moved, else a tensor of the scope that is open.</returns>
    public static Tensor Explain(SolverRun run, Tensor estimate)
    {
        if (estimate.shape[0] == 1)
            return Explain(run, run.Y, estimate);
        return torch.cat([
            .. Enumerable.Range(0, (int)estimate.shape[0]).Select(i => Explain(run, run.Y.narrow(0, i, 1), estimate.narrow(0, i, 1))),
        ]);
    }

    private static Tensor Explain(SolverRun run, Tensor y, Tensor estimate)
    {
        // Two standard deviations of the true picture's residual; a search that ends within five percent.
        const double Chance = 2,
            Near = 0.95;
        const int Tries = 8;
        LinearOperator a = run.A;
        double power = a.MeasurementCount * run.SigmaY * run.SigmaY;
        double Residual(Tensor x) => a.Restrict(a.Apply(x) - y).square().sum(ScalarType.Float64).item<double>() / power;
        double apart = Residual(estimate);
        if (apart <= 1 + Chance * Math.Sqrt(2.0 / a.MeasurementCount))
            return estimate;
        double least = WhitenedResidual.Pull(run.SigmaY, PixelRange.Symmetric);
        Tensor nearest = Proximal(a, y, estimate, least, run.Request);
        double left = Residual(nearest);
        if (left > 1)
            return estimate;
        // log residual against log rho, between the step that suffices and one that does not.
        (double low, double atLow, double high, double atHigh) = (
            Math.Log(least),
            Math.Log(Math.Max(left, 1e-6)),
            Math.Log(1e3 * Math.Max(least, a.NormSquared)),
            Math.Log(apart)
        );
        for (int i = 0; i < Tries && left < Near; i++)
        {
            double share = Math.Clamp(-atLow / (atHigh - atLow), 0.1, 0.9),
                middle = low + share * (high - low);
            Tensor x = Proximal(a, y, estimate, Math.Exp(middle), run.Request);
            double found = Residual(x);
            if (found > 1)
                (high, atHigh) = (middle, Math.Log(found));
            else
                (low, atLow, nearest, left) = (middle, Math.Log(Math.Max(found, 1e-6)), x, found);
        }
        return nearest;
    }

    /// <summary>The gradient of ||y - A x||^2 / 2: A^T (A x - y).</summary>
    public static Tensor Gradient(LinearOperator a, Tensor y, Tensor x) => a.Adjoint(a.Apply(x) - y);
}
