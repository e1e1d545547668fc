using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Convolution with a kernel that is even in both directions on a picture mirrored at its edges, then every f-th pixel such that the result
/// is mirrored at its edges too: in closed form, for any size.
/// </summary>
/// <remarks>
/// The mirrored picture is a torus of 2H x 2W pixels on which the DCT diagonalises the convolution with gains L[i,j]. Decimation folds the
/// frequencies 2mq +- k of a direction onto k (m = n/f), with sign
/// (-1)^q, and frequency m onto zero. The sets that fold onto one coefficient are disjoint, so that A = C_m^T W C_n with orthogonal rows of
/// W: their lengths are the singular values.
/// </remarks>
internal sealed class MirroredConvolution : SpectralOperator
{
    private readonly Tensor _weights,
        _unit,
        _squares,
        _rowIndex,
        _columnIndex;
    private readonly int _factor;

    /// <param name="input">The picture.</param>
    /// <param name="gains">
    /// [H,W] float64: L[i,j] = sum k[u,v] cos(pi i u / H) cos(pi j v / W), u and v measured from the kernel's centre (a half integer where
    /// f is even).
    /// </param>
    /// <param name="factor">f; divides height and width.</param>
    /// <param name="blur">Whether it is a blur to its user, and not just a reduction.</param>
    /// <param name="support">Reach in pixels.</param>
    /// <param name="device">Where its constants live.</param>
    public MirroredConvolution(ImageShape input, Tensor gains, int factor, bool blur, int support, Device device)
    {
        (Input, _factor, Device) = (input, factor, device);
        ImageShape output = new(input.Channels, input.Height / factor, input.Width / factor);
        Output = new MeasurementShape(output);
        using DisposeScope scope = torch.NewDisposeScope();
        Gains = gains.cpu().clone().DetachFromDisposeScope();
        (Tensor rows, long[] rowIndex) = Folding(input.Height, factor);
        (Tensor columns, long[] columnIndex) = Folding(input.Width, factor);
        Tensor weights = Gains * rows.unsqueeze(1) * columns;
        _rowIndex = torch.tensor(rowIndex, device: device).DetachFromDisposeScope();
        _columnIndex = torch.tensor(columnIndex, device: device).DetachFromDisposeScope();
        _weights = weights.to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        Tensor squares = Fold(weights.square().to(device)),
            singulars = squares.sqrt();
        _squares = squares.to(ScalarType.Float32).DetachFromDisposeScope();
        // Orthonormal rows: W / s; where s is zero any unit vector will do, and without decimation the coefficient's own.
        Tensor inverse = torch.where(singulars.gt(1e-12), 1 / singulars.clamp_min(1e-12), torch.zeros_like(singulars));
        Tensor unit = weights.to(device) * Spread(inverse);
        if (factor == 1)
            unit = torch.where(singulars.gt(1e-12), unit, torch.ones_like(unit));
        _unit = unit.to(ScalarType.Float32).DetachFromDisposeScope();
        Traits = new OperatorTraits
        {
            Blur = blur,
            Reduction = factor,
            Local = (factor, support),
            ClosedForm = true,
            Faintness = factor == 1 ? OperatorTraits.FaintnessOf(squares) : null,
        };
        Decomposition = Spectrum.Of(
            singulars.to(ScalarType.Float32).flatten().expand(input.Channels, -1).reshape(-1).DetachFromDisposeScope(),
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

    /// <summary>L, [H,W] float64 on the CPU.</summary>
    public Tensor Gains { get; }
    public int Factor => _factor;

    /// <summary>L of a separable kernel: its taps at the given distances from its centre, in float64.</summary>
    public static Tensor Gain(int n, IReadOnlyList<double> taps, double firstOffset)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor offsets = torch.arange(taps.Count, dtype: ScalarType.Float64) + firstOffset;
        Tensor angles = torch.arange(n, dtype: ScalarType.Float64).unsqueeze(1) * offsets * (Math.PI / n);
        return angles.cos().matmul(torch.tensor(taps.ToArray(), dtype: ScalarType.Float64)).MoveToOuterDisposeScope();
    }

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Dct.Inverse(Fold(Dct.Forward(x) * _weights)).MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Dct.Inverse(Spread(Dct.Forward(y)) * _weights).MoveToOuterDisposeScope();
    }

    /// <summary>The general formula in the cosine domain: one transform there and one back.</summary>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null)
    {
        if (rho == 0)
            return base.SolveNormal(b, rho, request);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor c = Dct.Forward(b),
            squares = _squares + rho;
        if (_factor == 1)
            return Dct.Inverse(c / squares).MoveToOuterDisposeScope();
        Tensor range = Fold(c * _unit);
        return Dct.Inverse((Spread(range / squares - range / rho) * _unit).add_(c / rho)).MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y, SolveRequest? request = null) =>
        _factor == 1 ? base.Guess(y, request) : Enlargement.Bicubic(y, _factor, (_factor - 1) / 2.0);

    public override void Dispose()
    {
        foreach (Tensor tensor in (Tensor[])[_weights, _unit, _squares, _rowIndex, _columnIndex, Gains, Decomposition.Singulars])
            tensor.Dispose();
        base.Dispose();
    }

    private Tensor ToRange(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Fold(Dct.Forward(x) * _unit).flatten(1).MoveToOuterDisposeScope();
    }

    private Tensor FromRange(Tensor coefficients)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor c = coefficients.reshape(Output.Batch(coefficients.shape[0]));
        return Dct.Inverse(Spread(c) * _unit).MoveToOuterDisposeScope();
    }

    private static Tensor ToMeasurement(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Dct.Forward(y).flatten(1).MoveToOuterDisposeScope();
    }

    // Sums the coefficients that fold onto one; those at frequency m fall away.
    private Tensor Fold(Tensor c) =>
        _factor == 1 ? c : FoldOne(FoldOne(c, -1, _columnIndex, Output.Image.Width), -2, _rowIndex, Output.Image.Height);

    private static Tensor FoldOne(Tensor c, int dim, Tensor index, int m)
    {
        long[] shape = c.shape;
        shape[shape.Length + dim] = m + 1;
        return torch.zeros(shape, dtype: c.dtype, device: c.device).index_add_(dim, index, c, 1).narrow(dim, 0, m);
    }

    private Tensor Spread(Tensor c) =>
        _factor == 1
            ? c
            : torch
                .nn.functional.pad(c, [0L, 1L, 0L, 1L], PaddingModes.Constant, 0)
                .index_select(-1, _columnIndex)
                .index_select(-2, _rowIndex);

    // Frequency j of n lands on index[j] of m (m itself: nowhere) with a weight made of its sign and of the two transforms' scales.
    private static (Tensor Weights, long[] Index) Folding(int n, int factor)
    {
        int m = n / factor;
        double[] weights = new double[n];
        long[] index = new long[n];
        for (int j = 0; j < n; j++)
        {
            int q = j / (2 * m),
                r = j % (2 * m);
            if (r > m)
                (q, r) = (q + 1, 2 * m - r);
            index[j] = r;
            double scale = (j == 0 ? 1 : Math.Sqrt(2)) / (r == 0 ? 1 : Math.Sqrt(2)) / Math.Sqrt(factor);
            weights[j] =
                r == m ? 0
                : q % 2 == 0 ? scale
                : -scale;
        }
        return (torch.tensor(weights, dtype: ScalarType.Float64), index);
    }
}
