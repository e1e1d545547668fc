using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// y = sum_i w_i (k_i * x) with bilinear weights of the grid points: one FFT of the picture, one inverse per kernel; the adjoint the other
/// way round.
/// </summary>
internal sealed class InterpolatedBlur : LinearOperator
{
    private readonly EdgeExtension _edges;
    private readonly MirroredConvolution[] _near;
    private readonly Tensor[] _transfers,
        _weights,
        _shares;
    private readonly long _height,
        _width;
    private readonly double _power;

    /// <param name="input">The picture.</param>
    /// <param name="kernels">[kh,kw] float64 in row-major order of the grid; the centre is element floor(k/2).</param>
    /// <param name="rows">Rows of the grid.</param>
    /// <param name="columns">Columns of the grid.</param>
    /// <param name="boundary">Beyond the edges.</param>
    /// <param name="device">Where its constants live.</param>
    public InterpolatedBlur(ImageShape input, IReadOnlyList<Tensor> kernels, int rows, int columns, Boundary boundary, Device device)
    {
        (Input, Output, Device) = (input, new MeasurementShape(input), device);
        using DisposeScope scope = torch.NewDisposeScope();
        int before = (int)kernels.Max(k => Math.Max((k.shape[0] - 1) - k.shape[0] / 2, (k.shape[1] - 1) - k.shape[1] / 2)),
            after = (int)kernels.Max(k => Math.Max(k.shape[0] / 2, k.shape[1] / 2));
        _edges = new EdgeExtension(boundary, input, before, after, before, after, device);
        (_height, _width) = (FastLength.From(_edges.Extended.Height), FastLength.From(_edges.Extended.Width));
        _transfers =
        [
            .. kernels.Select(kernel =>
            {
                (long kh, long kw) = (kernel.shape[0], kernel.shape[1]);
                (long top, long left) = (before - (kh - 1 - kh / 2), before - (kw - 1 - kw / 2));
                Tensor field = torch.zeros(_height, _width);
                field.narrow(0, 0, kh).narrow(1, 0, kw).copy_(kernel.flip(0, 1));
                // Element t of the turned kernel touches x[o + t - (k - 1 - centre)]: with the padding, extended pixel o + t + before - (k
                // - 1 - centre).
                return torch.fft.rfft2(field.roll([top, left], [0, 1])).conj().resolve_conj().to(device).DetachFromDisposeScope();
            }),
        ];
        (Tensor[] vertical, Tensor[] horizontal) = (Hats(input.Height, rows), Hats(input.Width, columns));
        _weights =
        [
            .. Enumerable
                .Range(0, rows * columns)
                .Select(i => torch.outer(vertical[i / columns], horizontal[i % columns]).to(device).DetachFromDisposeScope()),
        ];
        _shares = [.. _weights.Select(weight => weight.sqrt().DetachFromDisposeScope())];
        _near = [.. kernels.Select(kernel => PaddedConvolution.Near(input, kernel, device))];
        _power = _near.Max(near => near.NormSquared);
        Traits = new OperatorTraits { Blur = true, Faintness = _near.Average(near => near.Traits.Faintness) };
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override OperatorTraits Traits { get; }
    public override Device Device { get; }
    protected override bool HasPreconditioner => true;

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = torch.fft.rfft2(_edges.Extend(x), [_height, _width]),
            sum = torch.zeros(Input.Batch(x.shape[0]), dtype: x.dtype, device: x.device);
        for (int i = 0; i < _weights.Length; i++)
        {
            using DisposeScope one = torch.NewDisposeScope();
            sum = (
                sum + Inverse(f * _transfers[i]).narrow(2, 0, Input.Height).narrow(3, 0, Input.Width) * _weights[i]
            ).MoveToOuterDisposeScope();
        }
        return sum.MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor? sum = null;
        for (int i = 0; i < _weights.Length; i++)
        {
            using DisposeScope one = torch.NewDisposeScope();
            Tensor spread = torch.nn.functional.pad(
                y * _weights[i],
                [0L, _width - Input.Width, 0L, _height - Input.Height],
                PaddingModes.Constant,
                0
            );
            Tensor term = torch.fft.rfft2(spread) * _transfers[i].conj();
            sum = (sum is null ? term : sum + term).MoveToOuterDisposeScope();
        }
        return _edges
            .Fold(Inverse(sum!).narrow(2, 0, _edges.Extended.Height).narrow(3, 0, _edges.Extended.Width))
            .MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y, SolveRequest? request = null)
    {
        using Tensor back = Adjoint(y);
        return SolveNormal(back, 1e-2 * _power, request);
    }

    // Where one kernel rules, its own inverse: sum_i D_i^(1/2) (K_i^T K_i + rho I)^-1 D_i^(1/2). One inverse of a mean kernel took five
    // times the iterations.
    protected override Tensor Precondition(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor sum = torch.zeros_like(r);
        for (int i = 0; i < _near.Length; i++)
        {
            using DisposeScope one = torch.NewDisposeScope();
            sum.add_(_near[i].SolveNormal(r * _shares[i], Math.Max(rho, 1e-6 * _power)) * _shares[i]);
        }
        return sum.MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _edges.Dispose();
        foreach (MirroredConvolution near in _near)
            near.Dispose();
        foreach (Tensor tensor in (Tensor[])[.. _transfers, .. _weights, .. _shares])
            tensor.Dispose();
        base.Dispose();
    }

    private Tensor Inverse(Tensor f) => torch.fft.irfft2(f, [_height, _width]);

    // Linear interpolation between the middles of the grid's cells, constant beyond the outer ones.
    private static Tensor[] Hats(int n, int points)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor position = ((torch.arange(n).to(ScalarType.Float32) + 0.5f) * ((float)points / n) - 0.5f).clamp(0, points - 1);
        return [.. Enumerable.Range(0, points).Select(p => (1 - (position - p).abs()).clamp_min(0).MoveToOuterDisposeScope())];
    }
}
