using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>
/// A gray picture's operator for a colour prior: <c>gray | A</c> with G x = mean over channels, so B = A G. One channel is measured, never three equal ones with equal noise.
/// </summary>
/// <remarks>
/// G^T z = z / C on every channel, so G G^T = 1/C and everything that A has in closed form stays in closed form: the mean of the channels sees A^T A / C, the rest is untouched.
/// </remarks>
public sealed class GrayMeasurement : LinearOperator
{
    private readonly LinearOperator _a;

    /// <summary>Measures the mean of <paramref name="channels"/> channels with an operator for one channel.</summary>
    /// <param name="a">The operator; owned by this one from now on.</param>
    /// <param name="channels">Channels of the prior's pictures.</param>
    public GrayMeasurement(LinearOperator a, int channels)
    {
        if (a.Input.Channels != 1) throw new ArgumentException($"The operator takes {a.Input.Channels} channels, but a gray picture has 1.", nameof(a));
        _a = a;
        Input = a.Input with { Channels = channels };
        Traits = a.Traits with { Mask = false, OrthonormalRows = false };
    }

    /// <summary>The operator on the gray picture.</summary>
    public LinearOperator Inner => _a;

    /// <inheritdoc/>
    public override ImageShape Input { get; }
    /// <inheritdoc/>
    public override MeasurementShape Output => _a.Output;
    /// <inheritdoc/>
    public override OperatorTraits Traits { get; }
    /// <inheritdoc/>
    public override Device Device => _a.Device;
    /// <inheritdoc/>
    public override long MeasurementCount => _a.MeasurementCount;
    /// <inheritdoc/>
    public override double NormSquared => _a.NormSquared / Input.Channels;

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x)
    {
        using Tensor gray = Mean(x);
        return _a.Apply(gray);
    }

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y)
    {
        using Tensor back = _a.Adjoint(y);
        using Tensor share = back / Input.Channels;
        return Replicate(share);
    }

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0)
    {
        using Tensor gray = _a.PseudoInverse(y, Input.Channels * eta);
        return Replicate(gray);
    }

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, Tensor? start = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor mean = Mean(b);
        Tensor gray = _a.SolveNormal(mean * Input.Channels, Input.Channels * rho, start is null ? null : Mean(start));
        // With rho = 0 the difference between channels is not determined: the minimum-norm solution has none.
        Tensor x = rho == 0 ? Replicate(gray) : gray + (b - mean) / rho;
        return x.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Guess(Tensor y)
    {
        using Tensor gray = _a.Guess(y);
        return Replicate(gray);
    }

    /// <inheritdoc/>
    public override Tensor Restrict(Tensor y) => _a.Restrict(y);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _a.Dispose();
        base.Dispose();
    }

    /// <summary>The gray picture of a restored one.</summary>
    public static Tensor Mean(Tensor x) => x.mean([1], keepdim: true);

    private Tensor Replicate(Tensor gray) => gray.repeat(1, Input.Channels, 1, 1);
}
