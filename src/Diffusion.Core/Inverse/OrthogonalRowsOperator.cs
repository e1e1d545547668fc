namespace Diffusion.Inverse;

/// <summary>
/// An operator whose rows are orthogonal and of one length, A A^T = c I: everything follows from <see cref="ForwardOperator.Apply"/> and
/// the adjoint.
/// </summary>
/// <remarks>
/// A^T (A A^T + eta I)^-1 y = A^T y / (c + eta); with P = A^T A / c the projection onto the measured part, (A^T A + rho I)^-1 b = P b / (c
/// + rho) + (b - P b) / rho.
/// </remarks>
/// <param name="rowNormSquared">c.</param>
public abstract class OrthogonalRowsOperator(double rowNormSquared = 1) : SpectralOperator
{
    private Tensor? _singulars;

    /// <summary>c.</summary>
    protected double RowNormSquared { get; } = rowNormSquared;

    /// <inheritdoc/>
    public override OperatorTraits Traits =>
        new()
        {
            OrthonormalRows = RowNormSquared == 1,
            RowNormSquared = RowNormSquared,
            ClosedForm = true,
        };

    /// <inheritdoc/>
    public override double NormSquared => RowNormSquared;

    /// <inheritdoc/>
    protected override Spectrum Decomposition
    {
        get
        {
            if (field is not null)
                return field;
            double s = Math.Sqrt(RowNormSquared);
            _singulars = torch.full([Output.Count], (float)s, device: Device).DetachFromDisposeScope();
            return field = Spectrum.Of(
                _singulars,
                x => Flat(Apply(x), 1 / s),
                c => Scaled(Adjoint(c.reshape(Output.Batch(c.shape[0]))), 1 / s),
                y => y.flatten(1)
            );
        }
    }

    /// <summary>A^T y, [N,C,H,W]; the caller owns it.</summary>
    public abstract override Tensor Adjoint(Tensor y);

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) =>
        Scaled(Adjoint(y), 1 / (RowNormSquared + eta));

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor measured = Adjoint(Apply(b)) / RowNormSquared,
            inverse = measured / (RowNormSquared + rho);
        return (rho == 0 ? inverse : inverse + (b - measured) / rho).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _singulars?.Dispose();
        base.Dispose();
    }

    private static Tensor Flat(Tensor owned, double factor)
    {
        using Tensor scaled = Scaled(owned, factor);
        return scaled.flatten(1);
    }

    private static Tensor Scaled(Tensor owned, double factor)
    {
        using (owned)
            return owned * factor;
    }
}
