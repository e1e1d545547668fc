namespace Diffusion.Inverse;

/// <summary>How exactly (A^T A + rho I) x = b is solved by iterations: until either measure is met.</summary>
/// <remarks>
/// Nor may a single value of M r (below) be 5 times larger than <see cref="Relative"/> allows on average, or 10 times <see cref="Error"/>:
/// a preconditioner that fails at a few pixels, like those in the corners, would
/// leave them wrong.
/// </remarks>
/// <param name="Relative">
/// sqrt(r^T M r / b^T M b) with r = b - (A^T A + rho I) x and the preconditioner M (the identity without one). With a good M this is the
/// relative error in the energy norm, which counts badly measured
/// components as little as the equation does.
/// </param>
/// <param name="Error">
/// The same norm in absolute terms: sqrt((||A e||^2 + rho ||e||^2) / n) of an error e in n values that does not matter, in the
/// measurement's units. The solution is the mean of a Gaussian posterior with
/// covariance sigma_y^2 (A^T A + rho I)^-1, so that k sigma_y is an error of k of its standard deviations, whatever is measured well or
/// badly. Without a preconditioner this isn't known, and it doesn't count.
/// </param>
public readonly record struct SolvePrecision(double Relative, double Error = 0);
