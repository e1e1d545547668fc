namespace Diffusion.Operators;

/// <summary>A cheap approximation of (A^T A + rho I)^-1, symmetric and positive definite.</summary>
internal abstract class Preconditioner : IDisposable
{
    /// <summary>About (A^T A + rho I)^-1 r. The caller owns the result.</summary>
    public abstract Tensor Solve(Tensor r, double rho);

    /// <inheritdoc/>
    public abstract void Dispose();
}
