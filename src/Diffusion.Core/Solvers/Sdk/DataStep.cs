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

    /// <summary>The gradient of ||y - A x||^2 / 2: A^T (A x - y).</summary>
    public static Tensor Gradient(LinearOperator a, Tensor y, Tensor x) => a.Adjoint(a.Apply(x) - y);
}
