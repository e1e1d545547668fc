using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Which frequencies k = (row, column) of real pictures are measured. F(-k) is the conjugate of F(k), so each pair counts once; a pair that
/// was measured twice is its mean, with half the noise power.
/// </summary>
internal sealed class MeasuredFrequencies
{
    private readonly List<long> _own = [],
        _pairs = [],
        _partners = [];
    private readonly List<bool> _first = [],
        _second = [];

    /// <param name="measured">[height * width] in the order of numpy.fft.fft2.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public MeasuredFrequencies(bool[] measured, int height, int width)
    {
        for (int i = 0; i < height; i++)
        {
            for (int j = 0; j < width; j++)
            {
                long k = (long)i * width + j,
                    partner = (long)((height - i) % height) * width + (width - j) % width;
                if (k > partner || !(measured[k] || measured[partner]))
                    continue;
                if (k == partner)
                    _own.Add(k);
                else
                {
                    _pairs.Add(k);
                    _partners.Add(partner);
                    _first.Add(measured[k]);
                    _second.Add(measured[partner]);
                }
            }
        }
    }

    /// <summary>The frequencies that are their own partners; real.</summary>
    public long[] Own => [.. _own];

    /// <summary>The first frequency of each measured pair.</summary>
    public long[] Pairs => [.. _pairs];

    /// <summary>The second frequency of each measured pair.</summary>
    public long[] Partners => [.. _partners];

    /// <summary>
    /// [own + 2 pairs] float32: how strongly each row is measured, noise being equal. 1 of what was measured twice, root 1/2 of the rest of
    /// the pairs.
    /// </summary>
    public Tensor Gains()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor pairs = torch.tensor(_first.Zip(_second, (a, b) => a && b ? 1f : MathF.Sqrt(0.5f)).ToArray());
        return torch.cat([torch.ones(_own.Count), pairs, pairs]).MoveToOuterDisposeScope();
    }

    /// <summary>The rows of <see cref="HalfPlane"/>, times <see cref="Gains"/>, of measured frequencies.</summary>
    /// <param name="f">[height * width] complex in the order of numpy.fft.fft2, orthonormal; borrowed.</param>
    /// <returns>[own + 2 pairs] float32; the caller owns it.</returns>
    public Tensor Pack(Tensor f)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor first = torch.tensor(_first.ToArray()),
            second = torch.tensor(_second.ToArray());
        Tensor a = f.index_select(0, torch.tensor(Pairs)),
            b = f.index_select(0, torch.tensor(Partners));
        double half = Math.Sqrt(0.5);
        Tensor Rows(Tensor a, Tensor b) => torch.where(first.logical_and(second), (a + b) * half, torch.where(first, a, b));
        return torch
            .cat([f.index_select(0, torch.tensor(Own)).real, Rows(a.real, b.real), Rows(a.imag, -b.imag)])
            .to(ScalarType.Float32)
            .MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Orthonormal frequencies of real pictures as real rows: the real part where k = -k, else sqrt(2) times the real and sqrt(2) times the
/// imaginary part of one of the pair. [channels, own + real parts + imaginary parts]; A A^T = I.
/// </summary>
internal sealed class HalfPlane : OrthogonalRowsOperator
{
    private readonly Tensor _own,
        _pairs,
        _partners;

    public HalfPlane(ImageShape input, MeasuredFrequencies measured, Device device)
    {
        (Input, Device) = (input, device);
        (long[] own, long[] pairs) = (measured.Own, measured.Pairs);
        Output = new MeasurementShape(input.Channels, own.Length + 2 * pairs.Length);
        _own = torch.tensor(own, device: device).DetachFromDisposeScope();
        _pairs = torch.tensor(pairs, device: device).DetachFromDisposeScope();
        _partners = torch.tensor(measured.Partners, device: device).DetachFromDisposeScope();
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override Device Device { get; }
    public override OperatorTraits Traits => base.Traits with { Transform = true };

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = torch.fft.fft2(x, norm: FFTNormType.Ortho).flatten(2),
            half = f.index_select(2, _pairs) * Math.Sqrt(2);
        return torch.cat([f.index_select(2, _own).real, half.real, half.imag], 2).MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long own, long pairs) = (_own.shape[0], _pairs.shape[0]);
        Tensor real = torch.zeros([y.shape[0], Input.Channels, (long)Input.Height * Input.Width], dtype: y.dtype, device: y.device),
            imaginary = torch.zeros_like(real);
        Tensor re = y.narrow(2, own, pairs) / Math.Sqrt(2),
            im = y.narrow(2, own + pairs, pairs) / Math.Sqrt(2);
        real.index_copy_(2, _own, y.narrow(2, 0, own)).index_copy_(2, _pairs, re).index_copy_(2, _partners, re);
        imaginary.index_copy_(2, _pairs, im).index_copy_(2, _partners, -im);
        Tensor f = torch.complex(real, imaginary).reshape(Input.Batch(y.shape[0]));
        return torch.fft.ifft2(f, norm: FFTNormType.Ortho).real.contiguous().MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _own.Dispose();
        _pairs.Dispose();
        _partners.Dispose();
        base.Dispose();
    }
}

/// <summary>The rows of an operator with A A^T = I, each times a gain of its own: noise that differs between rows, made equal.</summary>
internal sealed class GainedRows : SpectralOperator
{
    private readonly OrthogonalRowsOperator _rows;
    private readonly Tensor _gains,
        _singulars;

    /// <param name="rows">Taken over.</param>
    /// <param name="gains">[values per channel] float32, positive; taken over.</param>
    public GainedRows(OrthogonalRowsOperator rows, Tensor gains)
    {
        _rows = rows;
        _gains = gains.to(rows.Device).DetachFromDisposeScope();
        _singulars = _gains.repeat(rows.Input.Channels).DetachFromDisposeScope();
        Decomposition = Spectrum.Of(
            _singulars,
            x =>
            {
                using Tensor y = _rows.Apply(x);
                return y.flatten(1);
            },
            c => _rows.Adjoint(c.reshape(Output.Batch(c.shape[0]))),
            y => y.flatten(1)
        );
    }

    public override ImageShape Input => _rows.Input;
    public override MeasurementShape Output => _rows.Output;
    public override Device Device => _rows.Device;
    public override OperatorTraits Traits => new() { ClosedForm = true, Transform = true };
    protected override Spectrum Decomposition { get; }

    public override Tensor Apply(Tensor x)
    {
        using Tensor y = _rows.Apply(x);
        return y * _gains;
    }

    public override Tensor Adjoint(Tensor y)
    {
        using Tensor scaled = y * _gains;
        return _rows.Adjoint(scaled);
    }

    public override void Dispose()
    {
        _gains.Dispose();
        _singulars.Dispose();
        _rows.Dispose();
        base.Dispose();
    }
}
