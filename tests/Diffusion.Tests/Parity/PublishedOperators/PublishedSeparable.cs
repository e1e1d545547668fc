using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>One 1-D matrix as U diag(s) V^T; small singular values set to zero.</summary>
internal sealed record Factor1D(Tensor U, Tensor S, Tensor V)
{
    public static Factor1D Of(Tensor matrix, double cut)
    {
        (Tensor u, Tensor s, Tensor vt) = torch.linalg.svd(matrix.to(ScalarType.Float64), fullMatrices: true);
        return new Factor1D(
            u.to(ScalarType.Float32),
            torch.where(s.lt(cut), torch.zeros_like(s), s).to(ScalarType.Float32),
            vt.t().contiguous().to(ScalarType.Float32)
        );
    }
}

/// <summary>
/// SRConv: bicubic reduction by a strided convolution in both directions with mirrored edges, y planar. Layout: T = V^T X V, first i, j
/// &lt; m, then i &lt; m and j >= m, then i >= m; channels innermost.
/// </summary>
internal sealed class PublishedStridedConvolution : PublishedSvd
{
    private readonly Factor1D _factor;
    private readonly Tensor _order,
        _inverse;

    private PublishedStridedConvolution(ImageShape input, Factor1D factor)
        : base(input, torch.outer(factor.S, factor.S).flatten().unsqueeze(1).expand(-1, input.Channels).flatten())
    {
        _factor = factor;
        long n = factor.V.shape[0],
            m = factor.S.shape[0];
        Tensor flat = torch.arange(n * n).reshape(n, n);
        _order = torch.cat([
            flat.narrow(0, 0, m).narrow(1, 0, m).flatten(),
            flat.narrow(0, 0, m).narrow(1, m, n - m).flatten(),
            flat.narrow(0, m, n - m).flatten(),
        ]);
        _inverse = _order.argsort();
        Traits = new OperatorTraits { Reduction = (int)(n / m), ClosedForm = true };
    }

    public override OperatorTraits Traits { get; }

    public static PublishedStridedConvolution Create(ParityCase reference, ConfigNode config, ImageShape shape)
    {
        if (config.Has("padding"))
            config.Only("padding", "reflect incl. border (see notes)");
        if (config.Has("kernel"))
            config.Only("kernel", "bicubic a=-0.5, 4*factor taps (formula in the notes)");
        int factor = config.Int("factor");
        double cut = config.Double("svd_zero", 0);
        if (reference.HasInput("op.U"))
            return new PublishedStridedConvolution(
                shape,
                new Factor1D(reference.Input("op.U"), reference.Input("op.s"), reference.Input("op.V"))
            );
        Assert.Equal(shape.Height, shape.Width);
        return new PublishedStridedConvolution(shape, Factor1D.Of(Matrix(reference.Input("kernel"), shape.Height, factor), cut));
    }

    public override Tensor ToCoefficients(Tensor x) =>
        _factor.V.t().matmul(x).matmul(_factor.V).flatten(2).index_select(2, _order).transpose(1, 2).flatten(1);

    public override Tensor FromCoefficients(Tensor c)
    {
        Tensor t = c.reshape(c.shape[0], -1, Input.Channels).transpose(1, 2).index_select(2, _inverse).reshape(Input.Batch(c.shape[0]));
        return _factor.V.matmul(t).matmul(_factor.V.t());
    }

    public override Tensor ToMeasured(Tensor y) => _factor.U.t().matmul(Planes(y)).matmul(_factor.U).flatten(2).transpose(1, 2).flatten(1);

    public override Tensor FromMeasured(Tensor c) =>
        _factor
            .U.matmul(c.reshape(c.shape[0], -1, Input.Channels).transpose(1, 2).reshape(c.shape[0], Input.Channels, _factor.U.shape[0], -1))
            .matmul(_factor.U.t())
            .flatten(1);

    private Tensor Planes(Tensor y) => y.reshape(y.shape[0], Input.Channels, _factor.U.shape[0], _factor.U.shape[0]);

    // Row i: taps at i f + f/2 - 2f ..., out-of-range indices mirrored with the edge sample repeated.
    private static Tensor Matrix(Tensor kernel, int n, int factor)
    {
        double[] taps = kernel.to(ScalarType.Float64).data<double>().ToArray();
        double[,] matrix = new double[n / factor, n];
        for (int i = 0; i < n / factor; i++)
        {
            for (int t = 0; t < taps.Length; t++)
            {
                int j = i * factor + factor / 2 - 2 * factor + t;
                j =
                    j < 0 ? -j - 1
                    : j >= n ? 2 * n - 1 - j
                    : j;
                matrix[i, j] += taps[t];
            }
        }
        return torch.tensor(matrix);
    }
}

/// <summary>
/// Deblurring and Deblurring2D: zero-padded separable convolution whose coefficients are sorted by the products of the 1-D singular values,
/// channels innermost. The published classes tile the sorted list
/// three times instead of repeating each value, so that component p of channel c gets s[(3p + c) mod n^2].
/// </summary>
internal sealed class PublishedSeparableConvolution : PublishedSvd
{
    private readonly Factor1D _left,
        _right;
    private readonly Tensor _order,
        _inverse;

    private PublishedSeparableConvolution(ImageShape input, Factor1D left, Factor1D right, Tensor order, bool matched)
        : base(input, Values(left, right, order, input.Channels, matched)) =>
        (_left, _right, _order, _inverse) = (left, right, order, order.argsort());

    public override OperatorTraits Traits { get; } = new() { Blur = true, ClosedForm = true };

    public static PublishedSeparableConvolution Create(ParityCase reference, ConfigNode config, ImageShape shape, bool matched)
    {
        if (config.Has("padding"))
            config.Only("padding", "zero");
        if (config.Has("singular_order"))
            config.OneOf("singular_order", "tiled", "tiled (published quirk, see notes)");
        if (config.Has("kernel"))
            config.Only("kernel", "Gaussian std 10, 5 taps, normalised");
        if (config.Has("window"))
            config.OneOf("window", "gaussian", "uniform");
        // The 1-D factors are inputs: how the kernel was made only explains them (OperatorsParityTests rebuilds them).
        foreach (string key in (string[])["svd_zero", "kernel_taps", "taps", "std", "std_vertical", "std_horizontal"])
            if (config.Has(key))
                _ = config.Double(key);
        if (config.Has("last_tap_dropped"))
            _ = config.Bool("last_tap_dropped");
        string prefix = reference.HasInput("op.U") ? "op." : "svd.left.";
        Factor1D left = Read(prefix),
            right = reference.HasInput("svd.right.U") ? Read("svd.right.") : left;
        return new PublishedSeparableConvolution(shape, left, right, reference.Input(prefix == "op." ? "op.perm" : "svd.perm"), matched);

        Factor1D Read(string p) => new(reference.Input(p + "U"), reference.Input(p + "s"), reference.Input(p + "V"));
    }

    public override Tensor ToCoefficients(Tensor x) => Sorted(_left.V.t().matmul(x).matmul(_right.V));

    public override Tensor FromCoefficients(Tensor c) => _left.V.matmul(Planes(c)).matmul(_right.V.t());

    public override Tensor ToMeasured(Tensor y) => Sorted(_left.U.t().matmul(y.reshape(Input.Batch(y.shape[0]))).matmul(_right.U));

    public override Tensor FromMeasured(Tensor c) => _left.U.matmul(Planes(c)).matmul(_right.U.t()).flatten(1);

    private Tensor Sorted(Tensor t) => t.flatten(2).index_select(2, _order).transpose(1, 2).flatten(1);

    private Tensor Planes(Tensor c) =>
        c.reshape(c.shape[0], -1, Input.Channels).transpose(1, 2).index_select(2, _inverse).reshape(Input.Batch(c.shape[0]));

    private static Tensor Values(Factor1D left, Factor1D right, Tensor order, int channels, bool matched)
    {
        Tensor sorted = torch.outer(left.S, right.S).flatten().index_select(0, order);
        return matched ? sorted.unsqueeze(1).expand(-1, channels).flatten() : sorted.repeat(channels);
    }
}
