namespace Diffusion.Inverse;

/// <summary>
/// An operator whose measured values are divided by how noisy each is, B = R^-1 A: its normal equations weigh sure values more, B^T B =
/// A^T R^-2 A.
/// </summary>
/// <remarks>
/// Where the rows of A are orthogonal and of one length (A A^T = c I, or c times a mask), B B^T is diagonal, and all is in closed form: B^T
/// (B B^T + eta I)^-1 y = A^T R^-1 (c R^-2 + eta I)^-1 y, and with P = A^T A / c the projection onto what is measured (B^T B + rho I)^-1 b
/// = A^T (c R^-2 + rho I)^-1 A b / c + (b - P b) / rho; the singular values are sqrt(c) / r. Elsewhere conjugate gradients are
/// preconditioned by what A has for the mean of the weights.
/// </remarks>
public sealed class WhitenedOperator : LinearOperator
{
    private readonly Tensor _weights,
        _energy;
    private readonly double _mean;
    private readonly double? _rows;
    private Tensor? _singulars,
        _kept;

    /// <summary>Weighs the values of an operator.</summary>
    /// <param name="inner">A; borrowed.</param>
    /// <param name="unevenness">r, [1, A.Output], greater than 0; infinite where a value does not count; borrowed.</param>
    public WhitenedOperator(LinearOperator inner, Tensor unevenness)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Inner = inner;
        _rows = inner.Traits.MeasuredRowNormSquared;
        _weights = unevenness.reciprocal().DetachFromDisposeScope();
        _energy = _weights.square().DetachFromDisposeScope();
        Tensor seen = inner.Restrict(_energy);
        _mean = seen.sum(ScalarType.Float64).item<double>() / inner.MeasurementCount;
        Reach = seen.max().item<float>();
    }

    /// <summary>A.</summary>
    public LinearOperator Inner { get; }

    /// <summary>1 / r, [1, A.Output].</summary>
    public Tensor Weights => _weights;

    /// <summary>The largest weight, 1 / r^2: how much surer than the mean the surest value is.</summary>
    public double Reach { get; }

    /// <inheritdoc/>
    public override ImageShape Input => Inner.Input;

    /// <inheritdoc/>
    public override MeasurementShape Output => Inner.Output;

    /// <inheritdoc/>
    public override Device Device => Inner.Device;

    /// <inheritdoc/>
    public override long MeasurementCount => Inner.MeasurementCount;

    /// <inheritdoc/>
    /// <remarks>A's, but for what its rows are no longer.</remarks>
    public override OperatorTraits Traits =>
        Inner.Traits with
        {
            OrthonormalRows = false,
            RowNormSquared = null,
            MeasuredRowNormSquared = null,
            ClosedForm = _rows is not null,
        };

    /// <inheritdoc/>
    public override double NormSquared => _rows is { } c ? c * Reach : base.NormSquared;

    /// <inheritdoc/>
    public override Spectrum? Spectrum
    {
        get
        {
            if (field is null && _rows is { } c)
                field = Decompose(Math.Sqrt(c));
            return field;
        }
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x) => Whiten(Inner.Apply(x));

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y)
    {
        using Tensor weighed = y * _weights;
        return Inner.Adjoint(weighed);
    }

    /// <inheritdoc/>
    public override Tensor Restrict(Tensor y) => Inner.Restrict(y);

    /// <summary>What A measured, of what this did: R y.</summary>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Measured(Tensor y) => y / _weights;

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null)
    {
        if (_rows is not { } c)
            return base.PseudoInverse(y, eta, request);
        using DisposeScope scope = torch.NewDisposeScope();
        return Adjoint(y / (c * _energy + eta)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null)
    {
        if (_rows is not { } c)
            return base.SolveNormal(b, rho, request);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor seen = Inner.Apply(b),
            range = Inner.Adjoint(seen / (c * _energy + rho)) / c;
        return (rho == 0 ? range : range + (b - Inner.Adjoint(seen) / c) / rho).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override bool HasPreconditioner => Inner.Traits.ClosedForm || Inner.HasPreconditioner;

    /// <inheritdoc/>
    protected internal override Tensor Precondition(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double damping = Math.Max(rho, 1e-6) / _mean;
        Tensor near = Inner.Traits.ClosedForm ? Inner.SolveNormal(r, damping) : Inner.Precondition(r, damping);
        return (near / _mean).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Guess(Tensor y, SolveRequest? request = null)
    {
        using Tensor measured = Measured(y);
        return Inner.Guess(measured, request);
    }

    /// <inheritdoc/>
    /// <remarks>The operator inside stays its owner's.</remarks>
    public override void Dispose()
    {
        _weights.Dispose();
        _energy.Dispose();
        _singulars?.Dispose();
        _kept?.Dispose();
        base.Dispose();
    }

    // Each measured value is a component of its own: U selects, V^T = A / sqrt(c).
    private Spectrum Decompose(double root)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor kept = Inner.Restrict(torch.ones_like(_weights)).flatten().nonzero().flatten();
        _kept = kept.DetachFromDisposeScope();
        _singulars = (Gather(_weights).squeeze(0) * root).DetachFromDisposeScope();
        return Spectrum.Of(_singulars, x => Through(Inner.Apply(x), Gather), c => Through(Scatter(c), Inner.Adjoint), Gather);

        Tensor Gather(Tensor y) => y.flatten(1).index_select(1, kept);
        Tensor Scatter(Tensor c)
        {
            using Tensor none = torch.zeros([c.shape[0], Output.Count], dtype: c.dtype, device: c.device);
            using Tensor all = none.index_copy(1, kept, c);
            return all.reshape(Output.Batch(c.shape[0]));
        }
        Tensor Through(Tensor owned, Func<Tensor, Tensor> next)
        {
            using (owned)
            using (Tensor result = next(owned))
                return result / root;
        }
    }

    private Tensor Whiten(Tensor owned)
    {
        using (owned)
            return owned * _weights;
    }
}
