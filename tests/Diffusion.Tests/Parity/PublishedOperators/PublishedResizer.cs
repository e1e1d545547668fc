using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Resizer(1/f) of RDMD, DPS and DiffPIR: MATLAB's anti-aliased bicubic reduction as one matrix per direction, with the output grid centred
/// when its size was rounded up.
/// </summary>
internal sealed class PublishedResizer : PublishedOperator
{
    private readonly Factor1D _rows,
        _columns;
    private readonly Tensor _rowMatrix,
        _columnMatrix;

    public PublishedResizer(ImageShape input, int factor)
        : base(
            input,
            new MeasurementShape(new ImageShape(input.Channels, (input.Height + factor - 1) / factor, (input.Width + factor - 1) / factor))
        )
    {
        (Tensor rows, Tensor columns) = (Matrix(input.Height, factor), Matrix(input.Width, factor));
        (_rows, _columns) = (Factor1D.Of(rows, 0), Factor1D.Of(columns, 0));
        (_rowMatrix, _columnMatrix) = (rows.to(ScalarType.Float32), columns.to(ScalarType.Float32));
        SingularValues = torch.outer(_rows.S, _columns.S);
        Traits = new OperatorTraits { Reduction = factor, ClosedForm = true };
    }

    /// <summary>[h,w] of one channel.</summary>
    public Tensor SingularValues { get; }
    public override OperatorTraits Traits { get; }

    public override Tensor Apply(Tensor x) => _rowMatrix.matmul(x).matmul(_columnMatrix.t());

    public override Tensor Adjoint(Tensor y) => _rowMatrix.t().matmul(y).matmul(_columnMatrix);

    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null)
    {
        Tensor s = SingularValues,
            c = _rows.U.t().matmul(y).matmul(_columns.U);
        return FromRange(c * (eta > 0 ? s / (s.square() + eta) : 1 / s));
    }

    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null)
    {
        Tensor range = ToRange(b),
            s2 = SingularValues.square();
        return FromRange(range / (s2 + rho)) + (b - FromRange(range)) / rho;
    }

    private Tensor ToRange(Tensor x) => Thin(_rows).t().matmul(x).matmul(Thin(_columns));

    private Tensor FromRange(Tensor c) => Thin(_rows).matmul(c).matmul(Thin(_columns).t());

    private static Tensor Thin(Factor1D factor) => factor.V.narrow(1, 0, factor.S.shape[0]);

    private static Tensor Matrix(int n, int factor)
    {
        int m = (n + factor - 1) / factor;
        double[,] matrix = new double[m, n];
        for (int i = 0; i < m; i++)
        {
            double u = (i + 1 - (m - (double)n / factor) / 2) * factor + 0.5 * (1 - factor);
            int left = (int)Math.Floor(u - 2.0 * factor),
                taps = 4 * factor + 2;
            double[] weights = [.. Enumerable.Range(left, taps).Select(j => ResampleKernel.Bicubic.Weight((u - j) / factor))];
            double sum = weights.Sum();
            for (int t = 0; t < taps; t++)
            {
                int j = ((left + t - 1) % (2 * n) + 2 * n) % (2 * n);
                matrix[i, j < n ? j : 2 * n - 1 - j] += weights[t] / sum;
            }
        }
        return torch.tensor(matrix);
    }
}
