using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Convolution with any kernel on a periodic picture, then every f-th pixel: in closed form by alias folding.</summary>
/// <remarks>
/// With H the kernel's transfer function, Y[k] = (1/f) sum_q H[k + q m] X[k + q m] over the f x f aliases of k (orthonormal transforms, m =
/// n/f). The sets are disjoint, so that sqrt(sum |H|^2) / f are the
/// singular values; Hartley coefficients of the folded spectrum are the real basis.
/// </remarks>
internal sealed class CircularConvolution : SpectralOperator
{
    // Of the deblurring in the first guess, as a share of the largest square.
    private const double Damping = 1e-2;

    private readonly Tensor _weights,
        _unit,
        _squares;
    private readonly int _factor;

    /// <param name="input">The picture; f divides its height and width.</param>
    /// <param name="transfer">H, [H,W] complex128; a phase moves the first kept pixel.</param>
    /// <param name="factor">f.</param>
    /// <param name="blur">Whether it is a blur to its user.</param>
    /// <param name="firstPixel">The input pixel that output pixel 0 lies on, for <see cref="Guess"/>; may lie between pixels.</param>
    /// <param name="support">Reach in pixels.</param>
    /// <param name="device">Where its constants live.</param>
    public CircularConvolution(ImageShape input, Tensor transfer, int factor, bool blur, double firstPixel, int support, Device device)
    {
        (Input, _factor, FirstPixel, Device) = (input, factor, firstPixel, device);
        Output = new MeasurementShape(new ImageShape(input.Channels, input.Height / factor, input.Width / factor));
        using DisposeScope scope = torch.NewDisposeScope();
        Transfer = transfer.cpu().clone().DetachFromDisposeScope();
        Tensor weights = Transfer / factor;
        _weights = weights.to(ScalarType.ComplexFloat32).to(device).DetachFromDisposeScope();
        Tensor squares = Fold(weights.abs().square()),
            singulars = squares.sqrt();
        _squares = squares.to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        Tensor inverse = torch.where(singulars.gt(1e-12), 1 / singulars.clamp_min(1e-12), torch.zeros_like(singulars));
        Tensor unit = weights * (factor == 1 ? inverse : inverse.repeat(factor, factor));
        if (factor == 1)
            unit = torch.where(singulars.gt(1e-12), unit, torch.ones_like(unit));
        _unit = unit.to(ScalarType.ComplexFloat32).to(device).DetachFromDisposeScope();
        Traits = new OperatorTraits
        {
            Blur = blur,
            Reduction = factor,
            Local = (factor, support),
            ClosedForm = true,
            Faintness = factor == 1 ? OperatorTraits.FaintnessOf(squares) : null,
        };
        Decomposition = Spectrum.Of(
            singulars.to(ScalarType.Float32).to(device).flatten().expand(input.Channels, -1).reshape(-1).DetachFromDisposeScope(),
            ToRange,
            FromRange,
            ToMeasurement
        );
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override OperatorTraits Traits { get; }
    public override Device Device { get; }
    protected override Spectrum Decomposition { get; }
    public double FirstPixel { get; }
    public int Factor => _factor;

    /// <summary>H, [H,W] complex128 on the CPU.</summary>
    public Tensor Transfer { get; }

    /// <summary>
    /// H of a kernel [kh,kw] (float64) whose element (u, v) lies (u - centreRow, v - centreColumn) pixels off its centre. Kernels larger
    /// than the picture wrap around.
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="height">Rows of frequencies.</param>
    /// <param name="width">Columns of frequencies.</param>
    /// <param name="centreRow">Row of the centre.</param>
    /// <param name="centreColumn">Column of the centre.</param>
    /// <param name="spacing">2: frequencies 2 pi i / n of the periodic picture; 1: pi i / n, those of the mirrored one.</param>
    public static Tensor TransferOf(Tensor kernel, int height, int width, double centreRow, double centreColumn, int spacing = 2)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = Waves(height, kernel.shape[0], centreRow, spacing),
            columns = Waves(width, kernel.shape[1], centreColumn, spacing);
        return rows.matmul(kernel.to(ScalarType.ComplexFloat64)).matmul(columns.transpose(0, 1)).MoveToOuterDisposeScope();
    }

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return torch.fft.ifft2(Fold(Fourier(x) * _weights), norm: FFTNormType.Ortho).real.contiguous().MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return FromFourier(Fourier(y), _weights).MoveToOuterDisposeScope();
    }

    /// <summary>The general formula in the Fourier domain: one transform there and one back.</summary>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null)
    {
        if (rho == 0)
            return base.SolveNormal(b, rho, request);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = Fourier(b),
            squares = _squares + rho;
        if (_factor == 1)
            return ToPicture(f / squares).MoveToOuterDisposeScope();
        Tensor range = Fold(f * _unit);
        return ToPicture(Spread(range / squares - range / rho) * _unit.conj() + f / rho).MoveToOuterDisposeScope();
    }

    /// <summary>The enlargement; after a blur that deblurred, as without the closed form of the pair.</summary>
    public override Tensor Guess(Tensor y, SolveRequest? request = null)
    {
        if (_factor == 1)
            return base.Guess(y, request);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor enlarged = Enlargement.Bicubic(y, _factor, FirstPixel);
        if (Traits.Blur)
        {
            // Without the phase of the first kept pixel, which the enlargement has already; what the kernel passes whole stays as it is.
            Tensor shift = TransferOf(torch.ones([1, 1], dtype: ScalarType.Float64), Input.Height, Input.Width, FirstPixel, FirstPixel),
                h = Transfer * shift.conj(),
                squares = h.abs().square();
            Tensor inverse = (1 + Damping) * h.conj() / (squares + Damping * squares.max());
            enlarged = ToPicture(Fourier(enlarged) * inverse.to(ScalarType.ComplexFloat32).to(y.device));
        }
        return enlarged.MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        foreach (Tensor tensor in (Tensor[])[_weights, _unit, _squares, Transfer, Decomposition.Singulars])
            tensor.Dispose();
        base.Dispose();
    }

    // A = Q S V^T: the folded spectrum's magnitude is the range coefficient, so that with real Hartley coefficients U is the plain Hartley
    // basis.
    private Tensor ToRange(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Hartley.FromFourier(Fold(Fourier(x) * _unit)).flatten(1).MoveToOuterDisposeScope();
    }

    private Tensor FromRange(Tensor coefficients)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor c = coefficients.reshape(Output.Batch(coefficients.shape[0]));
        return FromFourier(Hartley.ToFourier(c), _unit).MoveToOuterDisposeScope();
    }

    private static Tensor ToMeasurement(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Hartley.Transform(y).flatten(1).MoveToOuterDisposeScope();
    }

    private static Tensor Fourier(Tensor x) => torch.fft.fft2(x, norm: FFTNormType.Ortho);

    private Tensor FromFourier(Tensor small, Tensor rows) => ToPicture(Spread(small) * rows.conj());

    private Tensor Spread(Tensor small) => _factor == 1 ? small : small.repeat(1, 1, _factor, _factor);

    private static Tensor ToPicture(Tensor f) => torch.fft.ifft2(f, norm: FFTNormType.Ortho).real.contiguous();

    private Tensor Fold(Tensor c)
    {
        if (_factor == 1)
            return c;
        (long h, long w) = (c.shape[^2] / _factor, c.shape[^1] / _factor);
        return c.reshape([.. c.shape[..^2], _factor, h, _factor, w]).sum([-4L, -2L]);
    }

    private static Tensor Waves(int n, long taps, double centre, int spacing)
    {
        Tensor offsets = torch.arange(taps, dtype: ScalarType.Float64) - centre;
        Tensor angles = torch.arange(n, dtype: ScalarType.Float64).unsqueeze(1) * offsets * (-spacing * Math.PI / n);
        return torch.complex(angles.cos(), angles.sin());
    }
}
