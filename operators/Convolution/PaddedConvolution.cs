using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// Correlation with a kernel at every f-th pixel of a picture extended beyond its edges: any kernel, any boundary. Normal equations by
/// conjugate gradients.
/// </summary>
/// <remarks>
/// The preconditioner solves the same problem on the mirrored torus with an even kernel of the same mean power; some boundaries have a
/// better one.
/// </remarks>
internal sealed class PaddedConvolution : LinearOperator
{
    private readonly EdgeExtension _edges;
    private readonly MirroredConvolution _near;
    private readonly Preconditioner? _better;
    private readonly Tensor? _rows,
        _columns,
        _transfer;
    private readonly long[] _torus = [];
    private readonly int _factor,
        _kernelRows,
        _kernelColumns;
    private readonly (long Top, long Left) _margin;

    /// <param name="input">The picture.</param>
    /// <param name="kernel">g [kh,kw] float64: y[o] = sum_t g[t] x[f o + first + t].</param>
    /// <param name="first">Offsets of the first element, rows and columns.</param>
    /// <param name="boundary">Beyond the edges.</param>
    /// <param name="factor">f.</param>
    /// <param name="near">The preconditioner; owned.</param>
    /// <param name="blur">Whether it is a blur to its user.</param>
    /// <param name="device">Where its constants live.</param>
    /// <param name="better">A better preconditioner, where there is one; owned.</param>
    public PaddedConvolution(
        ImageShape input,
        Tensor kernel,
        (int Row, int Column) first,
        Boundary boundary,
        int factor,
        MirroredConvolution near,
        bool blur,
        Device device,
        Preconditioner? better = null
    )
    {
        (Input, _factor, _near, _better, Device) = (input, factor, near, better, device);
        (_kernelRows, _kernelColumns) = ((int)kernel.shape[0], (int)kernel.shape[1]);
        if (boundary == Boundary.Valid)
        {
            Output = new MeasurementShape(
                new ImageShape(input.Channels, (input.Height - _kernelRows) / factor + 1, (input.Width - _kernelColumns) / factor + 1)
            );
            _edges = new EdgeExtension(boundary, input, 0, 0, 0, 0, device);
            _margin = (-first.Row, -first.Column);
        }
        else
        {
            ImageShape output = new(input.Channels, input.Height / factor, input.Width / factor);
            Output = new MeasurementShape(output);
            int bottom = (output.Height - 1) * factor + first.Row + _kernelRows - input.Height,
                right = (output.Width - 1) * factor + first.Column + _kernelColumns - input.Width;
            _edges = new EdgeExtension(boundary, input, -first.Row, bottom, -first.Column, right, device);
        }
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor u, Tensor s, Tensor vt) = torch.linalg.svd(kernel, fullMatrices: false);
        double[] singulars = [.. s.data<double>()];
        if (singulars.Length == 1 || singulars[1] <= 1e-9 * singulars[0])
        {
            double root = Math.Sqrt(singulars[0]);
            _rows = Weights(u.select(1, 0) * root, [input.Channels, 1, _kernelRows, 1]);
            _columns = Weights(vt.select(0, 0) * root, [input.Channels, 1, 1, _kernelColumns]);
        }
        else
        {
            _torus = [FastLength.From(_edges.Extended.Height), FastLength.From(_edges.Extended.Width)];
            _transfer = torch.fft.rfft2(kernel, _torus).to(ScalarType.ComplexFloat32).to(device).DetachFromDisposeScope();
        }
        Traits = new OperatorTraits
        {
            Blur = blur,
            Reduction = factor,
            Local = (factor, Math.Max(_kernelRows, _kernelColumns)),
            Faintness = factor == 1 ? _near.Traits.Faintness : null,
        };

        Tensor Weights(Tensor taps, long[] shape) =>
            taps.to(ScalarType.Float32).to(device).reshape(1, 1, shape[2], shape[3]).expand(shape).contiguous().DetachFromDisposeScope();
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override OperatorTraits Traits { get; }
    public override Device Device { get; }
    protected override bool HasPreconditioner => true;

    /// <summary>The mirrored torus whose even gains have the mean power of a kernel: L[i,j]^2 = mean of |H(w_i, +-w_j)|^2.</summary>
    public static MirroredConvolution Near(ImageShape input, Tensor kernel, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor Power(Tensor k) => CircularConvolution.TransferOf(k, input.Height, input.Width, 0, 0, spacing: 1).abs().square();
        Tensor gains = ((Power(kernel) + Power(kernel.flip(1))) / 2).sqrt();
        return new MirroredConvolution(input, gains, 1, blur: true, 0, device);
    }

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor extended = _edges.Extend(x);
        if (_transfer is null)
        {
            Tensor vertical = torch.nn.functional.conv2d(extended, _rows!, strides: [_factor, 1], groups: Input.Channels);
            return torch.nn.functional.conv2d(vertical, _columns!, strides: [1, _factor], groups: Input.Channels).MoveToOuterDisposeScope();
        }
        Tensor full = torch.fft.irfft2(torch.fft.rfft2(extended, _torus) * _transfer.conj(), _torus);
        ImageShape output = Output.Image;
        return full.slice(2, 0, (output.Height - 1) * _factor + 1, _factor)
            .slice(3, 0, (output.Width - 1) * _factor + 1, _factor)
            .contiguous()
            .MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        if (_transfer is null)
        {
            // One channel for each of the batch's pictures: libtorch 2.10.0's transposed convolution of several pictures with one channel
            // each and stride 1 is wrong (by up to 1.8 for values of 0 to 1 and 3 taps, on an EPYC with AVX-512).
            Tensor horizontal = Transposed(y.reshape(1, -1, y.shape[2], y.shape[3]), _columns!, [1, _factor]);
            Tensor extended = Transposed(horizontal, _rows!, [_factor, 1]);
            return _edges
                .Fold(Fit(extended.reshape(y.shape[0], y.shape[1], extended.shape[2], extended.shape[3])))
                .MoveToOuterDisposeScope();
        }
        ImageShape output = Output.Image;
        (long h, long w) = ((output.Height - 1) * _factor + _kernelRows, (output.Width - 1) * _factor + _kernelColumns);
        Tensor spread = torch.zeros([y.shape[0], y.shape[1], h, w], dtype: y.dtype, device: y.device);
        spread.slice(2, 0, (output.Height - 1) * _factor + 1, _factor).slice(3, 0, (output.Width - 1) * _factor + 1, _factor).copy_(y);
        Tensor full = torch.fft.irfft2(torch.fft.rfft2(spread, _torus) * _transfer, _torus);
        return _edges.Fold(Fit(full.narrow(2, 0, h).narrow(3, 0, w))).MoveToOuterDisposeScope();
    }

    /// <summary>The enlargement of a reduced picture; of a blurred one a damped inverse.</summary>
    public override Tensor Guess(Tensor y, SolveRequest? request = null)
    {
        if (_factor > 1)
            return Enlargement.Bicubic(y, _factor, (_factor - 1) / 2.0);
        using DisposeScope scope = torch.NewDisposeScope();
        // The damping pulls towards y itself, continued where nothing was measured, and not towards black.
        (long below, long right) = (Input.Height - y.shape[2] - _margin.Top, Input.Width - y.shape[3] - _margin.Left);
        Tensor near = torch.nn.functional.pad(y, [_margin.Left, right, _margin.Top, below], PaddingModes.Replicate);
        return (near + SolveNormal(Adjoint(y - Apply(near)), 1e-2 * _near.NormSquared, request)).MoveToOuterDisposeScope();
    }

    protected override Tensor Precondition(Tensor r, double rho)
    {
        double damping = Math.Max(rho, 1e-6 * _near.NormSquared);
        return _better?.Solve(r, damping) ?? _near.SolveNormal(r, damping);
    }

    public override void Dispose()
    {
        _edges.Dispose();
        _near.Dispose();
        _better?.Dispose();
        _rows?.Dispose();
        _columns?.Dispose();
        _transfer?.Dispose();
        base.Dispose();
    }

    private static Tensor Transposed(Tensor channels, Tensor taps, long[] strides) =>
        torch.nn.functional.conv_transpose2d(
            channels,
            taps.narrow(0, 0, 1).expand(channels.shape[1], -1, -1, -1).contiguous(),
            strides: strides,
            groups: channels.shape[1]
        );

    // With the valid boundary and a stride the last pixels may be unused: the transpose gives them zeros.
    private Tensor Fit(Tensor extended)
    {
        (long h, long w) = _edges.Extended;
        long below = h - extended.shape[2],
            right = w - extended.shape[3];
        return below == 0 && right == 0 ? extended : torch.nn.functional.pad(extended, [0L, right, 0L, below], PaddingModes.Constant, 0);
    }
}
