namespace Diffusion.Inverse;

/// <summary>
/// A thin singular value decomposition A = U diag(s) V^T in closed form. Coefficients are [N,R] with R = min(inputs, measured values).
/// Returned tensors belong to the caller.
/// </summary>
/// <remarks>
/// Everything of the operator follows: A^T (A A^T + eta I)^-1 y = V diag(s / (s^2 + eta)) U^T y, and
/// (A^T A + rho I)^-1 b = V diag(1 / (s^2 + rho)) V^T b + (b - V V^T b) / rho, whose last term is zero where V is square.
/// </remarks>
public abstract class Spectrum
{
    /// <summary>Singular values below this times the largest count as zero in the pseudo-inverse with eta = 0.</summary>
    public const double RelativeCut = 1e-5;

    private double? _largest;

    /// <summary>[R] float32, not sorted; zeros included.</summary>
    public abstract Tensor Singulars { get; }

    /// <summary>V^T x: [N, Input] to [N,R].</summary>
    public abstract Tensor ToRange(Tensor x);

    /// <summary>V c: [N,R] to [N, Input].</summary>
    public abstract Tensor FromRange(Tensor coefficients);

    /// <summary>U^T y: [N, Output] to [N,R].</summary>
    public abstract Tensor ToMeasurement(Tensor y);

    /// <summary>The largest singular value.</summary>
    public double Largest
    {
        get
        {
            if (_largest is { } known)
                return known;
            if (Singulars.shape[0] == 0)
                return 0;
            using Tensor largest = Singulars.max();
            return (_largest = largest.item<float>()).Value;
        }
    }

    /// <summary>[R]: the singular values, with those that are zero but for rounding set to zero; the caller owns it.</summary>
    public Tensor Cut()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return torch.where(Singulars > RelativeCut * Largest, Singulars, 0).MoveToOuterDisposeScope();
    }

    /// <summary>A decomposition from its singular values and three maps; the values stay the caller's.</summary>
    public static Spectrum Of(
        Tensor singulars,
        Func<Tensor, Tensor> toRange,
        Func<Tensor, Tensor> fromRange,
        Func<Tensor, Tensor> toMeasurement
    ) => new Given(singulars, toRange, fromRange, toMeasurement);

    /// <summary>
    /// A^T (A A^T + eta I)^-1 y; with eta = 0 the minimum-norm least-squares solution, without components whose singular value is zero.
    /// </summary>
    public Tensor PseudoInverse(Tensor y, double eta = 0)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return FromRange(ToMeasurement(y) * (eta > 0 ? Singulars / (Singulars.square() + eta) : Inverse())).MoveToOuterDisposeScope();
    }

    /// <summary>(A^T A + rho I)^-1 b; with rho = 0 the pseudo-inverse of A^T A.</summary>
    public Tensor SolveNormal(Tensor b, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor c = ToRange(b);
        Tensor range = FromRange(c * (rho > 0 ? 1 / (Singulars.square() + rho) : Inverse().square()));
        if (rho == 0 || Singulars.shape[0] == b.numel() / b.shape[0])
            return range.MoveToOuterDisposeScope();
        // The null space by subtraction of the projection: V (c / (s^2 + rho) - c / rho) + b / rho would cancel where rho is small.
        return (range + (b - FromRange(c)) / rho).MoveToOuterDisposeScope();
    }

    private Tensor Inverse()
    {
        double cut = Math.Max(RelativeCut * Largest, 1e-30);
        return torch.where(Singulars.gt(cut), 1 / Singulars.clamp_min(cut), torch.zeros_like(Singulars));
    }

    private sealed class Given(
        Tensor singulars,
        Func<Tensor, Tensor> toRange,
        Func<Tensor, Tensor> fromRange,
        Func<Tensor, Tensor> toMeasurement
    ) : Spectrum
    {
        public override Tensor Singulars => singulars;

        public override Tensor ToRange(Tensor x) => toRange(x);

        public override Tensor FromRange(Tensor coefficients) => fromRange(coefficients);

        public override Tensor ToMeasurement(Tensor y) => toMeasurement(y);
    }
}
