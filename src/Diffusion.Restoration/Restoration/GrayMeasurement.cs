using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>
/// A gray picture's operator for a colour prior: B = sqrt(C) A G with G x = mean over the C channels. One channel is measured, never three
/// equal ones with equal noise.
/// </summary>
/// <remarks>
/// sqrt(C) G has orthonormal rows, so B has the singular values of A and keeps all of its closed forms: B B^T = A A^T, and B^T B acts as
/// A^T A on the mean and as 0 on what differs between channels.
/// The measurement and its noise are scaled along (<see cref="Scale"/>): noise sigma on the mean is sqrt(C) sigma on each channel, which is
/// the level that a denoiser has to see.
/// </remarks>
public sealed class GrayMeasurement : LinearOperator
{
    private readonly LinearOperator _a;

    /// <summary>Measures the mean of <paramref name="channels"/> channels with an operator for one channel.</summary>
    /// <param name="a">The operator; owned by this one from now on.</param>
    /// <param name="channels">Channels of the prior's pictures.</param>
    /// <exception cref="ArgumentException">The operator is not one for a single channel.</exception>
    public GrayMeasurement(LinearOperator a, int channels)
    {
        if (a.Input.Channels != 1)
            throw new ArgumentException($"The operator takes {a.Input.Channels} channels, but a gray picture has 1.", nameof(a));
        _a = a;
        Input = a.Input with { Channels = channels };
        Scale = Math.Sqrt(channels);
        Traits = a.Traits with { Mask = false };
        Spectrum = a.Spectrum is not { } spectrum
            ? null
            : Spectrum.Of(
                spectrum.Singulars,
                x => spectrum.ToRange(Mean(x) * Scale),
                c => Replicate(spectrum.FromRange(c)) / Scale,
                spectrum.ToMeasurement
            );
    }

    /// <summary>sqrt(C): y and sigma of the gray picture times this are those of this operator.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    public override ImageShape Input { get; }

    /// <inheritdoc/>
    public override MeasurementShape Output => _a.Output;

    /// <inheritdoc/>
    public override Device Device => _a.Device;

    /// <inheritdoc/>
    public override OperatorTraits Traits { get; }

    /// <inheritdoc/>
    public override long MeasurementCount => _a.MeasurementCount;

    /// <inheritdoc/>
    public override double NormSquared => _a.NormSquared;

    /// <inheritdoc/>
    public override Spectrum? Spectrum { get; }

    /// <summary>The gray picture [N,1,H,W] of a restored one [N,C,H,W]; the caller owns it.</summary>
    public static Tensor Mean(Tensor x) => x.mean([1], keepdim: true);

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x) => Scoped(() => _a.Apply(Mean(x)) * Scale);

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) => Scoped(() => Replicate(_a.Adjoint(y)) / Scale);

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) =>
        Scoped(() => Replicate(_a.PseudoInverse(y, eta, request)) / Scale);

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
        Scoped(() =>
        {
            Tensor mean = Mean(b),
                gray = _a.SolveNormal(mean, rho, request?.Start is { } start ? request with { Start = Mean(start) } : request);
            // With rho = 0 what differs between channels is not determined: the minimum-norm solution has none of it.
            return rho == 0 ? Replicate(gray) : gray + (b - mean) / rho;
        });

    /// <inheritdoc/>
    public override Tensor Guess(Tensor y, SolveRequest? request = null) => Scoped(() => Replicate(_a.Guess(y / Scale, request)));

    /// <inheritdoc/>
    public override Tensor Restrict(Tensor y) => _a.Restrict(y);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _a.Dispose();
        base.Dispose();
    }

    private Tensor Replicate(Tensor gray) => gray.repeat(1, Input.Channels, 1, 1);

    private static Tensor Scoped(Func<Tensor> compute)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return compute().MoveToOuterDisposeScope();
    }
}
