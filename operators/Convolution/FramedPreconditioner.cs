using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// The preconditioner of convolution with any kernel on a picture that its own pixels continue beyond its edges: the whole of |H|^2 on a
/// torus inside, and around it a frame in which the edges are what they are.
/// </summary>
/// <remarks>
/// A sum of c (A^T A + rho)^-1 c over the parts of the picture, with sum c^2 = 1. Inside no edge is near, and A^T A is diagonal under the
/// Fourier transform. In a strip of d lines along an edge that has no
/// ends the transform along it leaves a d x d matrix for each frequency; in a corner A^T A is a matrix of d^2 x d^2. Each part passes into
/// the next over d pixels, about the kernel's size.
/// </remarks>
internal sealed class FramedPreconditioner : Preconditioner
{
    // A corner's matrix has its fourth power in numbers. Narrower strips than the kernel still take most of the edge's effect.
    private const int WidestFrame = 24;

    private readonly OpenPreconditioner _inside;
    private readonly Tensor _share;
    private readonly Part[] _frame;

    /// <param name="input">The picture, at least 4 x 4.</param>
    /// <param name="kernel">g [kh,kw] float64: y[o] = sum_t g[t] x[o + first + t].</param>
    /// <param name="first">Offsets of the first element, rows and columns.</param>
    /// <param name="boundary">Beyond the edges.</param>
    /// <param name="device">Where its constants live.</param>
    public FramedPreconditioner(ImageShape input, Tensor kernel, (int Row, int Column) first, Boundary boundary, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _inside = new OpenPreconditioner(input, kernel, device);
        (int h, int w) = (input.Height, input.Width);
        int d = Math.Min(Math.Min(h, w) / 2, Math.Min((int)kernel.shape.Max(), WidestFrame));
        (Tensor Inside, Tensor Edge) rows = Shares(h, d, device),
            columns = Shares(w, d, device);
        _share = (rows.Inside.unsqueeze(1) * columns.Inside).DetachFromDisposeScope();
        List<Part> frame = [];
        foreach (int top in (int[])[0, h - d])
        {
            Tensor vertical = Lines(boundary, first.Row, kernel.shape[0], h, top, d),
                fade = rows.Edge.narrow(0, top, d).unsqueeze(1);
            frame.Add(Strip(top, 0, kernel, vertical, fade * columns.Inside, turned: false));
            foreach (int left in (int[])[0, w - d])
                frame.Add(
                    Corner(
                        top,
                        left,
                        kernel,
                        vertical,
                        Lines(boundary, first.Column, kernel.shape[1], w, left, d),
                        fade * columns.Edge.narrow(0, left, d)
                    )
                );
        }
        foreach (int left in (int[])[0, w - d])
            frame.Add(
                Strip(
                    0,
                    left,
                    kernel.t(),
                    Lines(boundary, first.Column, kernel.shape[1], w, left, d),
                    columns.Edge.narrow(0, left, d).unsqueeze(1) * rows.Inside,
                    turned: true
                )
            );
        _frame = [.. frame];
    }

    public override Tensor Solve(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = _inside.Solve(r * _share, rho).mul_(_share);
        foreach (Part part in _frame)
            part.AddTo(x, r, rho);
        return x.MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _inside.Dispose();
        _share.Dispose();
        foreach (Part part in _frame)
            part.Dispose();
    }

    // c in one direction: from 0 at the edges to 1 inside, and what is left for the edges.
    private static (Tensor Inside, Tensor Edge) Shares(int n, int d, Device device)
    {
        Tensor i = torch.arange(n, ScalarType.Float32),
            angle = ((torch.minimum(i, n - 1 - i) + 0.5) * (Math.PI / 2 / d)).clamp_max(Math.PI / 2);
        return (angle.sin().to(device), angle.cos().to(device));
    }

    // [taps, lines of the measurement, d]: which of the d lines from the given one on a tap of a line's sum meets.
    private static Tensor Lines(Boundary boundary, int first, long taps, int n, int line, int d)
    {
        long[] source = BoundaryIndex.Of(boundary, first, n + (int)taps - 1, n);
        int count = Math.Min(n, d + (int)taps),
            from = line == 0 ? 0 : n - count;
        double[] lines = new double[taps * count * d];
        for (int t = 0; t < taps; t++)
        {
            for (int o = 0; o < count; o++)
            {
                long i = source[from + o + t] - line;
                if (source[from + o + t] >= 0 && i >= 0 && i < d)
                    lines[(t * count + o) * d + i] = 1;
            }
        }
        return torch.tensor(lines, [taps, count, d]);
    }

    private static Part Strip(int row, int column, Tensor kernel, Tensor lines, Tensor share, bool turned)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long taps, long count, long d) = (lines.shape[0], lines.shape[1], lines.shape[2]);
        long torus = FastLength.From(share.shape[1] + kernel.shape[1]);
        // The conjugate of A^T A, so that what it solves stands to its left: [frequency, pictures, d] times [frequency, d, d] takes a third
        // of the time of the other order.
        Tensor along = torch.fft.rfft(kernel, torus).t();
        Tensor a = along.matmul(lines.reshape(taps, -1).to(along.dtype)).reshape(-1, count, d);
        return new StripPart(
            row,
            column,
            turned,
            torus,
            a.mH.matmul(a).DetachFromDisposeScope(),
            (turned ? share.t() : share).contiguous().DetachFromDisposeScope()
        );
    }

    private static Part Corner(int row, int column, Tensor kernel, Tensor vertical, Tensor horizontal, Tensor share)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // sum over pairs of taps of what they have in common, in rows and in columns: a third of the work of the matrix A itself.
        long d = vertical.shape[2];
        Tensor across = kernel.matmul(horizontal.reshape(kernel.shape[1], -1)).reshape(kernel.shape[0], -1, d);
        Tensor normal = Pairs(vertical).t().matmul(Pairs(across)).reshape(d, d, d, d).permute(0, 2, 1, 3).reshape(d * d, d * d);
        return new CornerPart(row, column, normal.DetachFromDisposeScope(), share.contiguous().DetachFromDisposeScope());
    }

    // [t, o, i] -> [t t', i i'], summed over o.
    private static Tensor Pairs(Tensor lines)
    {
        (long taps, long d) = (lines.shape[0], lines.shape[2]);
        Tensor rows = lines.permute(1, 0, 2).reshape(lines.shape[1], -1);
        return rows.t().matmul(rows).reshape(taps, d, taps, d).permute(0, 2, 1, 3).reshape(taps * taps, d * d);
    }

    /// <summary>A rectangle of the picture with its own A^T A, kept with the inverse for the last rho.</summary>
    private abstract class Part(int row, int column, Tensor normal, Tensor share) : IDisposable
    {
        private (double Rho, Tensor Matrix)? _inverse;

        public void AddTo(Tensor x, Tensor r, double rho)
        {
            if (_inverse?.Rho != rho)
            {
                _inverse?.Matrix.Dispose();
                using Tensor damped = normal + rho * torch.eye(normal.shape[^1], dtype: normal.dtype),
                    root = torch.linalg.cholesky(damped),
                    exact = torch.cholesky_inverse(root);
                _inverse = (
                    rho,
                    exact
                        .to(normal.is_complex() ? ScalarType.ComplexFloat32 : ScalarType.Float32)
                        .to(x.device)
                        .contiguous()
                        .DetachFromDisposeScope()
                );
            }
            Here(x).add_(Solve(Here(r) * share, _inverse.Value.Matrix).mul_(share));
        }

        protected abstract Tensor Solve(Tensor r, Tensor inverse);

        public void Dispose()
        {
            normal.Dispose();
            share.Dispose();
            _inverse?.Matrix.Dispose();
        }

        private Tensor Here(Tensor picture) => picture.narrow(2, row, share.shape[0]).narrow(3, column, share.shape[1]);
    }

    private sealed class StripPart(int row, int column, bool turned, long torus, Tensor normal, Tensor share)
        : Part(row, column, normal, share)
    {
        protected override Tensor Solve(Tensor r, Tensor inverse)
        {
            if (turned)
                r = r.transpose(2, 3);
            (long n, long channels, long d, long length) = (r.shape[0], r.shape[1], r.shape[2], r.shape[3]);
            Tensor lines = torch.fft.rfft(r, torus).permute(3, 0, 1, 2).reshape(-1, n * channels, d).contiguous();
            Tensor solved = torch
                .fft.irfft(lines.matmul(inverse).reshape(-1, n, channels, d).permute(1, 2, 3, 0), torus)
                .narrow(3, 0, length);
            return turned ? solved.transpose(2, 3) : solved;
        }
    }

    private sealed class CornerPart(int row, int column, Tensor normal, Tensor share) : Part(row, column, normal, share)
    {
        protected override Tensor Solve(Tensor r, Tensor inverse) => r.flatten(2).matmul(inverse).reshape(r.shape);
    }
}
