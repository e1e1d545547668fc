namespace Diffusion.Inverse;

/// <summary>
/// An operator whose thin singular value decomposition has a closed form: pseudo-inverse, normal equations and norm follow from its <see
/// cref="Spectrum"/>.
/// </summary>
public abstract class SpectralOperator : LinearOperator
{
    /// <summary>The decomposition; owned by the operator.</summary>
    protected abstract Spectrum Decomposition { get; }

    /// <inheritdoc/>
    public override Spectrum? Spectrum => Decomposition;

    /// <inheritdoc/>
    public override double NormSquared => Decomposition.Largest * Decomposition.Largest;

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) => Decomposition.PseudoInverse(y, eta);

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) => Decomposition.SolveNormal(b, rho);
}
