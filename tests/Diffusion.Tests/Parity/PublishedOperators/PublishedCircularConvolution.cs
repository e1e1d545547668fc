using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Circular true convolution by FFT, then pixels 0, f, 2f, ... <c>rows</c>: the kernel is rolled by -int((rows-1)/2) in both directions
/// (DDPG, CM4IR), and A^T uses the turned kernel with the same roll: the
/// adjoint for odd square kernels only. <c>each_direction</c>: by -floor(kh/2), -floor(kw/2) (RDMD, DiffPIR, DPIR), with the exact adjoint.
/// </summary>
internal sealed class PublishedCircularConvolution : PublishedOperator
{
    private readonly Tensor _transfer,
        _back;
    private readonly int _factor;
    private readonly bool _flat;

    /// <param name="input">The large picture.</param>
    /// <param name="kernel">[kh,kw].</param>
    /// <param name="factor">f.</param>
    /// <param name="rows">The centre's rule, see above.</param>
    /// <param name="flat">Whether y is [N,M].</param>
    public PublishedCircularConvolution(ImageShape input, Tensor kernel, int factor, bool rows, bool flat)
        : base(input, OutputOf(input, factor, flat))
    {
        (_factor, _flat, Kernel) = (factor, flat, kernel);
        (int kh, int kw) = ((int)kernel.shape[0], (int)kernel.shape[1]);
        (int dy, int dx) = rows ? ((kh - 1) / 2, (kh - 1) / 2) : (kh / 2, kw / 2);
        _transfer = Otf(kernel);
        _back = rows ? Otf(kernel.flip(0, 1)) : _transfer.conj().resolve_conj();
        Traits = new OperatorTraits
        {
            Blur = true,
            Reduction = factor,
            ClosedForm = true,
        };

        Tensor Otf(Tensor k)
        {
            Tensor field = torch.zeros(input.Height, input.Width, dtype: ScalarType.Float64);
            field.narrow(0, 0, kh).narrow(1, 0, kw).copy_(k);
            return torch.fft.fft2(field.roll([-dy, -dx], [0, 1]));
        }
    }

    /// <summary>[kh,kw].</summary>
    public Tensor Kernel { get; }

    /// <summary>FFT of the rolled kernel, [H,W] complex.</summary>
    public Tensor Transfer => _transfer.to(ScalarType.ComplexFloat32);
    public override OperatorTraits Traits { get; }

    public static PublishedCircularConvolution Create(ParityCase reference, ConfigNode config, ImageShape shape, bool flat)
    {
        int factor = config.Int("factor", 1);
        if (config.Has("kernel"))
            config.Only("kernel", "cubic_filter");
        if (config.Has("data_step"))
            config.Only("data_step", "closed-form FFT with op.kernel");
        config.Text("blur_mode");
        Tensor kernel = reference.Input(new[] { "op.kernel", "kernel2d", "kernel" }.First(reference.HasInput));
        // DiffPIR's cases give no centre; theirs is that of each direction.
        bool rows = config.Has("centre") ? config.OneOf("centre", "rows", "each_direction") == "rows" : flat;
        return new PublishedCircularConvolution(shape, kernel, factor, rows, flat);
    }

    public override Tensor Apply(Tensor x)
    {
        Tensor y = Filter(x, _transfer).to(ScalarType.Float32);
        y = y.slice(2, 0, Input.Height, _factor).slice(3, 0, Input.Width, _factor).contiguous();
        return _flat ? y.flatten(1) : y;
    }

    public override Tensor Adjoint(Tensor y) => Filter(Spread(y), _back).to(ScalarType.Float32);

    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) =>
        Filter(Spread(Filter(Small(y), 1 / (Folded() + eta))), _back).to(ScalarType.Float32);

    /// <summary>(A A^T + eta I)^-1 y, in the shape of y.</summary>
    public Tensor SolveRows(Tensor y, double eta)
    {
        return Filter(Small(y), 1 / (Folded() + eta)).to(ScalarType.Float32).reshape(y.shape);
    }

    /// <summary>(A^T A + rho I)^-1 b = (b - A^T (A A^T + rho I)^-1 A b) / rho.</summary>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
        _factor == 1
            ? Filter(b, 1 / (_transfer.abs().square() + rho)).to(ScalarType.Float32)
            : (b - Adjoint(SolveRows(Apply(b), rho))) / rho;

    // In float64, since small values of the spectrum meet a small damping.
    private static Tensor Filter(Tensor x, Tensor gains) =>
        torch.fft.ifft2(torch.fft.fft2(x.to(ScalarType.Float64)) * gains).real.contiguous();

    // FFT of the decimated autocorrelation: the mean of |H|^2 over the aliases.
    private Tensor Folded() =>
        _transfer.abs().square().reshape(_factor, Input.Height / _factor, _factor, Input.Width / _factor).mean([0L, 2L]);

    private Tensor Small(Tensor y) => y.reshape(y.shape[0], Input.Channels, Input.Height / _factor, Input.Width / _factor);

    private Tensor Spread(Tensor y)
    {
        Tensor large = torch.zeros(Input.Batch(y.shape[0]), dtype: y.dtype);
        large.slice(2, 0, Input.Height, _factor).slice(3, 0, Input.Width, _factor).copy_(Small(y));
        return large;
    }

    private static MeasurementShape OutputOf(ImageShape input, int factor, bool flat)
    {
        ImageShape small = new(input.Channels, input.Height / factor, input.Width / factor);
        return flat ? new MeasurementShape(small.Count) : new MeasurementShape(small);
    }
}
