namespace Diffusion.Inverse;

/// <summary>y = A2 (A1 x). Forward and adjoint compose; the rest is in closed form where the pair allows it, else iterative.</summary>
/// <remarks>
/// A pair that the second operator knows has a closed form (<see cref="LinearOperator.After"/>: decimation after a blur).
/// After an operator with A1 A1^T = c I (<c>gray</c>, <c>crop</c>) everything is the second one's, closed form or iterations: it acts on
/// the range of A1^T, and nothing on what is orthogonal to that. (A^T A + rho I)^-1 b = A1^T (A2^T A2 + rho / c)^-1 A1 b / c^2 + (b - A1^T
/// A1 b / c) / rho; A^T (A A^T + eta I)^-1 = A1^T A2^T (A2 A2^T + eta / c)^-1 / c; the singular values are sqrt(c) s2 with the right
/// vectors A1^T V2 / sqrt(c).
/// Conjugate gradients of the others are preconditioned as those of the first are, or by its closed form; behind a mask, by the closed form
/// of the second, in the measurement.
/// </remarks>
public sealed class ComposedOperator : LinearOperator
{
    private readonly LinearOperator _first,
        _second;

    private ComposedOperator(LinearOperator first, LinearOperator second) => (_first, _second) = (first, second);

    /// <summary>
    /// The picture passes through <paramref name="first"/>, then through <paramref name="second"/>; the result owns both.
    /// </summary>
    /// <exception cref="ArgumentException">The second does not take what the first makes.</exception>
    public static LinearOperator Of(LinearOperator first, LinearOperator second)
    {
        if (!first.Output.IsImage || first.Output.Image != second.Input)
            throw new ArgumentException($"The first operator makes {first.Output}, but the second takes {second.Input}.", nameof(second));
        return second.After(first) ?? new ComposedOperator(first, second);
    }

    /// <inheritdoc/>
    public override ImageShape Input => _first.Input;

    /// <inheritdoc/>
    public override MeasurementShape Output => _second.Output;

    /// <inheritdoc/>
    public override Device Device => _first.Device;

    /// <inheritdoc/>
    public override long MeasurementCount => _second.MeasurementCount;

    /// <inheritdoc/>
    public override OperatorTraits Traits =>
        new()
        {
            Blur = _first.Traits.Blur || _second.Traits.Blur,
            Reduction = _first.Traits.Reduction * _second.Traits.Reduction,
            OrthonormalRows = _first.Traits.OrthonormalRows && _second.Traits.OrthonormalRows,
            RowNormSquared = _first.Traits.RowNormSquared * _second.Traits.RowNormSquared,
            MeasuredRowNormSquared = _first.Traits.RowNormSquared * _second.Traits.MeasuredRowNormSquared,
            Local =
                _first.Traits.Local is { } a && _second.Traits.Local is { } b
                    ? (a.Period * b.Period, a.Support + (b.Support - 1) * _first.Traits.Reduction)
                    : null,
            Faintness =
                _first.Traits.Reduction * _second.Traits.Reduction == 1 ? _first.Traits.Faintness ?? _second.Traits.Faintness : null,
            ClosedForm = Rows is not null && _second.Traits.ClosedForm,
            Mosaic = _second.Traits.Mosaic,
            Transform = _second.Traits.Transform,
            CoarseMissing = _second.Traits.CoarseMissing,
            ColorMissing = _first.Traits.ColorMissing || _second.Traits.ColorMissing,
        };

    /// <inheritdoc/>
    public override double NormSquared => Rows is { } c ? c * _second.NormSquared : base.NormSquared;

    // c, where A1 A1^T = c I.
    private double? Rows => _first.Traits.RowNormSquared;

    /// <inheritdoc/>
    public override Spectrum? Spectrum
    {
        get
        {
            if (field is null && Rows is { } c && _second.Spectrum is { } inner)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                double root = Math.Sqrt(c);
                Tensor singulars = (inner.Singulars * root).DetachFromDisposeScope();
                field = Spectrum.Of(
                    singulars,
                    x => Through(_first.Apply(x), inner.ToRange, 1 / root),
                    coefficients => Through(inner.FromRange(coefficients), _first.Adjoint, 1 / root),
                    inner.ToMeasurement
                );
            }
            return field;
        }
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x) => Through(_first.Apply(x), _second.Apply);

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) => Through(_second.Adjoint(y), _first.Adjoint);

    /// <inheritdoc/>
    public override Tensor Restrict(Tensor y) => _second.Restrict(y);

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null)
    {
        if (Rows is { } c)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return Through(_second.PseudoInverse(y, eta / c, Passed(request, 1)), _first.Adjoint, 1 / c).MoveToOuterDisposeScope();
        }
        return eta > 0 && _first.Traits.Mask && _second.Traits.ClosedForm
            ? Through(SolveInMeasurement(y, eta, request), Adjoint)
            : base.PseudoInverse(y, eta, request);
    }

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
        Rows is { } c
            ? InRange(b, rho, c, middle => _second.SolveNormal(middle, rho / c, Passed(request, c)))
            : base.SolveNormal(b, rho, request);

    /// <inheritdoc/>
    protected internal override bool HasPreconditioner =>
        Rows is null ? _first.Traits.ClosedForm || _first.HasPreconditioner : _second.Traits.ClosedForm || _second.HasPreconditioner;

    /// <inheritdoc/>
    /// <remarks>A2^T A2 is replaced by its mean diagonal c: (c A1^T A1 + rho I)^-1, or what is near it.</remarks>
    protected internal override Tensor Precondition(Tensor r, double rho)
    {
        if (Rows is { } rows)
            return InRange(r, Math.Max(rho, 1e-6), rows, middle => Near(_second, middle, Math.Max(rho, 1e-6) / rows));
        double c = Density(_second);
        return Through(Near(_first, r, Math.Max(rho, 1e-6) / c), x => x / c);

        static Tensor Near(LinearOperator a, Tensor r, double damping) =>
            a.Traits.ClosedForm ? a.SolveNormal(r, damping) : a.Precondition(r, damping);
    }

    /// <summary>
    /// (A^T A + rho I)^-1 b from <paramref name="solve"/>, the second operator's (A2^T A2 + rho / c)^-1. With rho = 0 what is orthogonal to
    /// the range of A1^T is not determined, and the minimum-norm solution has none of it.
    /// </summary>
    private Tensor InRange(Tensor b, double rho, double c, Func<Tensor, Tensor> solve)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor middle = _first.Apply(b),
            range = _first.Adjoint(solve(middle)) / (c * c);
        return (rho == 0 ? range : range + (b - _first.Adjoint(middle) / c) / rho).MoveToOuterDisposeScope();
    }

    // The second operator solves for factor A1 x, of which an error counts by 1 / factor in the measurement.
    private SolveRequest? Passed(SolveRequest? request, double factor) =>
        request is null
            ? null
            : request with
            {
                Precision = request.Precision is { } precision ? precision with { Error = precision.Error * factor } : null,
                Start = request.Start is { } start ? _first.Apply(start) * factor : null,
            };

    /// <summary>
    /// (A A^T + eta I)^-1 y for a mask A1 of density c: A2 A1 A1^T A2^T is near c A2 A2^T. In the picture there is no such likeness: the
    /// mask's holes cut through all that A2 blurs.
    /// </summary>
    private Tensor SolveInMeasurement(Tensor y, double eta, SolveRequest? request)
    {
        double c = Density(_first),
            damping = Math.Max(eta, 1e-4 * _second.NormSquared) / c;
        return Krylov.ConjugateGradients(
            v => Through(Through(Adjoint(v), Apply), w => w + eta * v),
            y,
            WithoutStart(request),
            precondition: r => Through(Through(_second.PseudoInverse(r, damping), _second.Apply), seen => (r - seen) / (c * damping))
        );
    }

    // A start is a picture; here something else is solved for.
    private static SolveRequest? WithoutStart(SolveRequest? request) => request is null ? null : request with { Start = null };

    private static double Density(LinearOperator a) => Math.Clamp((double)a.MeasurementCount / a.Input.Count, 1e-6, 1);

    /// <inheritdoc/>
    /// <remarks>
    /// First the second operator's guess, then the first's: a filled and enlarged picture is a better start than a damped pseudo-inverse of
    /// the whole.
    /// </remarks>
    public override Tensor Guess(Tensor y, SolveRequest? request = null) =>
        Through(_second.Guess(y, WithoutStart(request)), middle => _first.Guess(middle, WithoutStart(request)));

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_first.Traits.RowNormSquared is not null)
            Spectrum?.Singulars.Dispose();
        _first.Dispose();
        _second.Dispose();
        base.Dispose();
    }

    private static Tensor Through(Tensor owned, Func<Tensor, Tensor> next, double factor = 1)
    {
        using (owned)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor result = next(owned);
            return (factor == 1 ? result : result * factor).MoveToOuterDisposeScope();
        }
    }
}
