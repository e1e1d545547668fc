using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>Denoising: coefficients are the planar pixels.</summary>
internal sealed class PublishedIdentity(ImageShape input) : PublishedSvd(input, torch.ones(input.Count))
{
    public override Tensor ToCoefficients(Tensor x) => x.flatten(1);

    public override Tensor FromCoefficients(Tensor c) => c.reshape(Input.Batch(c.shape[0]));

    public override Tensor ToMeasured(Tensor y) => y;

    public override Tensor FromMeasured(Tensor c) => c;
}

/// <summary>
/// Kept pixels in row-major order, channels innermost; then the missing pixels of channel 0, 1, 2. All singular values are 1.
/// </summary>
internal sealed class PublishedMask : PublishedSvd
{
    private readonly Tensor _order,
        _inverse;

    public PublishedMask(ImageShape input, Tensor mask)
        : base(input, torch.ones(mask.ne(0).sum().item<long>() * input.Channels))
    {
        Tensor kept = mask.ne(0).flatten().nonzero().flatten(),
            missing = mask.eq(0).flatten().nonzero().flatten(),
            channels = torch.arange(input.Channels);
        // Positions in the interleaved picture, pixel * C + channel.
        Tensor first = (kept.unsqueeze(1) * input.Channels + channels).flatten(),
            second = (missing.unsqueeze(0) * input.Channels + channels.unsqueeze(1)).flatten();
        _order = torch.cat([first, second]);
        _inverse = _order.argsort();
        Traits = new OperatorTraits
        {
            Mask = true,
            OrthonormalRows = true,
            Local = (1, 1),
            ClosedForm = true,
        };
    }

    public override OperatorTraits Traits { get; }

    public override Tensor ToCoefficients(Tensor x) => x.permute(0, 2, 3, 1).flatten(1).index_select(1, _order);

    public override Tensor FromCoefficients(Tensor c) =>
        c.index_select(1, _inverse).reshape(c.shape[0], Input.Height, Input.Width, Input.Channels).permute(0, 3, 1, 2).contiguous();

    public override Tensor ToMeasured(Tensor y) => y;

    public override Tensor FromMeasured(Tensor c) => c;

    /// <summary>The median fill that CM4IR starts inpainting from.</summary>
    public override Tensor Guess(Tensor y, SolveRequest? request = null)
    {
        Tensor known = Adjoint(torch.ones_like(y));
        return Fill.Median(Adjoint(y), known);
    }
}

/// <summary>y = mask * x with zeros at missing pixels, as a picture or (PiGDM, RED-diff) as a flat vector.</summary>
internal sealed class PublishedDenseMask : PublishedOperator
{
    private readonly Tensor _mask;
    private readonly bool _flat;

    public PublishedDenseMask(ImageShape input, Tensor mask, bool flat)
        : base(input, flat ? new MeasurementShape(input.Count) : new MeasurementShape(input)) =>
        (_mask, _flat) = (mask.ne(0).to(ScalarType.Float32), flat);

    /// <summary>[H,W], 1 = known.</summary>
    public Tensor Mask => _mask;
    public override OperatorTraits Traits { get; } =
        new()
        {
            Mask = true,
            Local = (1, 1),
            ClosedForm = true,
        };

    public override Tensor Apply(Tensor x) => _flat ? (x * _mask).flatten(1) : x * _mask;

    public override Tensor Adjoint(Tensor y) => y.reshape(Input.Batch(y.shape[0])) * _mask;

    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) => Adjoint(y) / (1 + eta);

    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) => b / (_mask + rho);
}

/// <summary>y = w . x per pixel. Layout of the coefficients: [k][pixel].</summary>
internal sealed class PublishedColorization : PublishedSvd
{
    private readonly Tensor _v;
    private readonly float _u;

    public PublishedColorization(ImageShape input, double[] weights, Tensor? u, Tensor? v)
        : base(input, torch.full([(long)input.Height * input.Width], (float)Math.Sqrt(weights.Sum(w => w * w))))
    {
        double norm = Math.Sqrt(weights.Sum(w => w * w));
        _v = v ?? Complete(torch.tensor([.. weights.Select(w => (float)(w / norm))]));
        _u = u?.item<float>() ?? 1;
    }

    public override Tensor ToCoefficients(Tensor x) => torch.einsum("nchw,ck->nkhw", x, _v).flatten(1);

    public override Tensor FromCoefficients(Tensor c) => torch.einsum("nkhw,ck->nchw", c.reshape(Input.Batch(c.shape[0])), _v);

    public override Tensor ToMeasured(Tensor y) => y * _u;

    public override Tensor FromMeasured(Tensor c) => c * _u;
}
