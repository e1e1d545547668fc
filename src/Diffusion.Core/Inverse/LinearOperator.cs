using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>A measurement y = A(x), bound to one picture size.</summary>
public abstract class ForwardOperator : IDisposable
{
    /// <summary>The picture it takes.</summary>
    public abstract ImageShape Input { get; }

    /// <summary>The measurement it makes.</summary>
    public abstract MeasurementShape Output { get; }

    /// <summary>y = A x.</summary>
    /// <param name="x">[N, <see cref="Input"/>] float32, borrowed.</param>
    /// <returns>[N, <see cref="Output"/>] float32; the caller owns it.</returns>
    public abstract Tensor Apply(Tensor x);

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>
/// A linear measurement y = A x. <see cref="ForwardOperator.Apply"/> is enough; everything else has a right, if slower, default.
/// </summary>
public abstract class LinearOperator : ForwardOperator
{
    private double? _normSquared;

    /// <summary>A^T y. Default: the vector-Jacobian product of <see cref="ForwardOperator.Apply"/>.</summary>
    /// <param name="y">[N, Output] float32, borrowed.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public virtual Tensor Adjoint(Tensor y)
    {
        using var _ = torch.enable_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = torch.zeros(Input.Batch(y.shape[0]), device: y.device).requires_grad_();
        return torch.autograd.grad([Apply(x)], [x], [y.detach()])[0].detach().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The damped pseudo-inverse A^T (A A^T + eta I)^-1 y; with eta = 0 the minimum-norm least-squares solution. Default: LSQR.
    /// </summary>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="eta">At least 0.</param>
    /// <param name="request">What iterations may cost, and who is told how they went; null: as exact as float32 allows, nobody.</param>
    /// <returns>[N, Input]; the caller owns it.</returns>
    public virtual Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null)
    {
        if (eta == 0 || !HasPreconditioner)
            return Krylov.Lsqr(this, y, eta, request);
        using Tensor back = Adjoint(y);
        return SolveNormal(back, eta, request);
    }

    /// <summary>
    /// (A^T A + rho I)^-1 b. Default: conjugate gradients with <see cref="Precondition"/>, converged per picture.
    /// </summary>
    /// <param name="b">[N, Input].</param>
    /// <param name="rho">&gt; 0, or 0 where A^T A is invertible.</param>
    /// <param name="request">What iterations may cost, and who is told how they went; null: as exact as float32 allows, nobody.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public virtual Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
        Krylov.ConjugateGradients(this, b, rho, request, precondition: HasPreconditioner ? r => Precondition(r, rho) : null);

    /// <summary>Whether <see cref="Precondition"/> does something.</summary>
    protected internal virtual bool HasPreconditioner => false;

    /// <summary>
    /// A cheap approximation of (A^T A + rho I)^-1 r, symmetric and positive definite, that speeds up the default <see
    /// cref="SolveNormal"/>.
    /// </summary>
    /// <param name="r">[N,C,H,W] float32, borrowed.</param>
    /// <param name="rho">Greater than 0.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    protected internal virtual Tensor Precondition(Tensor r, double rho) => r.alias();

    /// <summary>
    /// The operator x -> this(first(x)) where it has a closed form that the two alone do not have; null otherwise. The result owns both.
    /// </summary>
    public virtual LinearOperator? After(LinearOperator first) => null;

    /// <summary>A thin singular value decomposition, where structure gives one.</summary>
    public virtual Spectrum? Spectrum => null;

    /// <summary>
    /// A sensible first picture made of y: fill-in for masks, enlargement for downsampling, a damped pseudo-inverse elsewhere.
    /// </summary>
    /// <param name="y">[N, Output] float32, borrowed.</param>
    /// <param name="request">What iterations may cost, and who is told how they went; null: as exact as float32 allows, nobody.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public virtual Tensor Guess(Tensor y, SolveRequest? request = null) => PseudoInverse(y, 1e-2 * NormSquared, request);

    /// <summary>
    /// Restricts a vector in the shape of the measurement to what is measured (a mask zeroes missing pixels). Noise is added through it.
    /// </summary>
    /// <param name="y">[N, Output] float32, borrowed.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public virtual Tensor Restrict(Tensor y) => y.alias();

    /// <summary>Number of values that are really measured per picture; fewer than <see cref="MeasurementShape.Count"/> for masks.</summary>
    public virtual long MeasurementCount => Output.Count;

    /// <summary>What is known of its structure.</summary>
    public virtual OperatorTraits Traits { get; } = new();

    /// <summary>The squared spectral norm. Default: power iteration, cached.</summary>
    public virtual double NormSquared => _normSquared ??= Krylov.PowerIteration(this, Device);

    /// <summary>Where the operator's constants live, and where its pictures must be.</summary>
    public virtual Device Device { get; } = new("cpu");
}
