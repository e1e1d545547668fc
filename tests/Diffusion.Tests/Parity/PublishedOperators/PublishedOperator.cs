using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>
/// An operator with the arithmetic of the published code, quirks included, built from a case's <c>operator</c> object and tensors. y is
/// flat [N,M] where the case's y is, and a picture elsewhere.
/// Everything that it keeps is made when it is built, inside the case's dispose scope.
/// </summary>
internal abstract class PublishedOperator(ImageShape input, MeasurementShape output) : LinearOperator
{
    /// <inheritdoc/>
    public override ImageShape Input { get; } = input;

    /// <inheritdoc/>
    public override MeasurementShape Output { get; } = output;

    /// <summary>Builds the operator of a case. Every key of <c>operator</c> is read; an unknown kind or value fails.</summary>
    /// <param name="reference">The case, open.</param>
    /// <param name="matched">
    /// For <c>separable_conv_svd*</c>: singular values that belong to their components, instead of the published tiling.
    /// </param>
    public static PublishedOperator FromCase(ParityCase reference, bool matched = false)
    {
        ConfigNode config = reference.Config.Object("operator");
        config.Text("about", "kernel_about", "kernel_size");
        // Closed where it says how y is laid out, text in whole runs.
        if (reference.Family != "operators")
            config.Text("order");
        else
            config.Only(
                "order",
                "coefficients in the order of perm, channels innermost",
                "kept pixels in row-major pixel order, channels innermost",
                "planar [3,h,w]"
            );
        Tensor picture = reference.Input(new[] { "x_orig", "x", "z" }.First(reference.HasInput));
        ImageShape shape = new((int)picture.shape[1], (int)picture.shape[2], (int)picture.shape[3]);
        Tensor y =
            reference.HasInput("y") ? reference.Input("y")
            : reference.Outputs.Contains("y") ? reference.Expected("y")
            : picture;
        bool flat = y.dim() == 2;
        switch (config.String("kind"))
        {
            case "mask":
                config.Only("factor", 1.0);
                if (config.Has("data_step"))
                    config.Only("data_step", "per pixel");
                return flat
                    ? new PublishedMask(shape, reference.Input("mask"))
                    : new PublishedDenseMask(shape, reference.Input("mask"), false);
            case "mask_dense":
                return new PublishedDenseMask(shape, reference.Input("mask"), flat);
            case "identity":
                return new PublishedIdentity(shape);
            case "average_pooling":
                if (config.Has("pinv"))
                    config.Only("pinv", "replicate");
                return new PublishedPooling(shape, config.Int("factor"), Optional("op.U"), Optional("op.V"));
            case "colorization":
                return new PublishedColorization(shape, config.Doubles("weights"), Optional("op.U"), Optional("op.V"));
            case "walsh_hadamard":
                return new PublishedHadamard(shape, config.Int("ratio"), reference.Input("perm"));
            case "separable_strided_conv":
                return PublishedStridedConvolution.Create(reference, config, shape);
            case "separable_conv_svd" or "separable_conv_svd_aniso":
                return PublishedSeparableConvolution.Create(reference, config, shape, matched);
            case "circular_conv" or "circular_conv_proximal":
                return PublishedCircularConvolution.Create(reference, config, shape, flat);
            case "depthwise_correlation":
                return PublishedCorrelation.Create(reference, config, shape);
            case "bicubic_antialiased_downsampling":
                if (config.Has("kernel"))
                    config.Only("kernel", "cubic a=-0.5 stretched by factor");
                if (config.Has("padding"))
                    config.Only("padding", "mirror incl. border pixel");
                if (config.Has("data_step"))
                    config.Only("data_step", "closed-form FFT with op.kernel");
                return new PublishedResizer(shape, config.Int("factor"));
            default:
                Assert.Fail($"Unknown operator kind \"{config.String("kind")}\".");
                throw new InvalidOperationException();
        }

        Tensor? Optional(string name) => reference.HasInput(name) ? reference.Input(name) : null;
    }
}

/// <summary>
/// The interface of DDRM's operators: a full singular value decomposition whose coefficient vectors have the published layout. Coefficients
/// are [N,D], D = inputs, of which the first M belong to measured values.
/// </summary>
internal abstract class PublishedSvd(ImageShape input, Tensor singulars)
    : PublishedOperator(input, new MeasurementShape(singulars.shape[0]))
{
    /// <summary>[M] in the published order; zeros included.</summary>
    public Tensor SingularValues { get; } = singulars;

    /// <summary>V^T x: [N,C,H,W] to [N,D].</summary>
    public abstract Tensor ToCoefficients(Tensor x);

    /// <summary>V c: [N,D] to [N,C,H,W].</summary>
    public abstract Tensor FromCoefficients(Tensor c);

    /// <summary>U^T y: [N,M] to [N,M].</summary>
    public abstract Tensor ToMeasured(Tensor y);

    /// <summary>U c: [N,M] to [N,M].</summary>
    public abstract Tensor FromMeasured(Tensor c);

    /// <inheritdoc/>
    public override Spectrum? Spectrum =>
        Spectrum.Of(SingularValues, x => First(ToCoefficients(x)), c => FromCoefficients(Pad(c)), ToMeasured);

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x) => FromMeasured(SingularValues * First(ToCoefficients(x)));

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) => FromCoefficients(Pad(SingularValues * ToMeasured(y)));

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null)
    {
        Tensor s = SingularValues,
            gain = eta > 0 ? s / (s.square() + eta) : torch.where(s.gt(0), 1 / s, torch.zeros_like(s));
        return FromCoefficients(Pad(gain * ToMeasured(y)));
    }

    /// <inheritdoc/>
    public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
        FromCoefficients(ToCoefficients(b) / (Pad(SingularValues.square().unsqueeze(0)) + rho));

    private Tensor First(Tensor c) => c.narrow(1, 0, SingularValues.shape[0]);

    private Tensor Pad(Tensor c) =>
        c.shape[1] == Input.Count ? c : torch.cat([c, torch.zeros([c.shape[0], Input.Count - c.shape[1]], dtype: c.dtype)], 1);

    /// <summary>An orthogonal matrix whose first column is the unit vector <paramref name="first"/>; the others are arbitrary.</summary>
    protected static Tensor Complete(Tensor first)
    {
        long n = first.shape[0];
        Tensor q = torch.linalg.qr(torch.cat([first.unsqueeze(1), torch.eye(n, n - 1, dtype: first.dtype).roll(1, 0)], 1)).Q.clone();
        return q.select(1, 0).dot(first).item<float>() < 0 ? -q : q;
    }
}
