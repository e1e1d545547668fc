using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Makes measurements y = A x + noise from clean pictures. Holds the operator for the pictures of the last size.</summary>
public sealed class Degrader : IDisposable
{
    private readonly OperatorSpec _spec;
    private LinearOperator? _bound;

    /// <summary>Measures with <paramref name="spec"/>.</summary>
    /// <param name="spec">The degradation.</param>
    /// <param name="noise">The noise: a standard deviation on [0,1], or what grows with the signal.</param>
    /// <param name="seed">Seed of the noise; draws are keyed by it and the picture's name.</param>
    /// <exception cref="ArgumentException">The noise level is negative or no number.</exception>
    public Degrader(OperatorSpec spec, NoiseModel noise, ulong seed = 0)
    {
        if (!(noise is { Sigma: >= 0, Gain: >= 0 }) || double.IsInfinity(noise.Sigma) || double.IsInfinity(noise.Gain))
            throw new ArgumentException(FormattableString.Invariant($"The noise level must be 0 or more, not {noise}."), nameof(noise));
        _spec = spec;
        Noise = noise;
        Seed = seed;
    }

    /// <summary>The noise.</summary>
    public NoiseModel Noise { get; }

    /// <summary>A standard deviation for each measured value, in place of <see cref="Noise"/>; null: none. Stays its owner's.</summary>
    public NoiseMap? NoiseMap { get; init; }

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; }

    /// <summary>The degradation.</summary>
    public OperatorSpec Spec => _spec;

    /// <summary>Crops pictures that the operator cannot take.</summary>
    public bool CropToFit { get; init; }

    /// <summary>Resizes a mask file that does not fit the picture.</summary>
    public bool ResizesMasks { get; init; }

    /// <summary>Measures a picture; the result knows how it was made.</summary>
    /// <param name="clean">The picture; borrowed.</param>
    /// <param name="inputSha256">SHA-256 of its file, for the side file.</param>
    /// <param name="key">What a job calls the result, for the side file.</param>
    /// <exception cref="OperatorSpecException">The picture does not fit the operator.</exception>
    public DegradedPicture Degrade(Picture clean, string? inputSha256 = null, string? key = null)
    {
        using ComputeScope scope = new();
        Tensor x = clean.Pixels;
        ImageShape shape = new(clean.Channels, clean.Height, clean.Width);
        if (CropToFit)
        {
            shape = FittingSize.Of(Measured, shape);
            x = x.narrow(2, 0, shape.Height).narrow(3, 0, shape.Width);
        }
        LinearOperator a = Bind(shape);
        Tensor y = a.Apply(x);
        Tensor? map = NoiseMap?.Of(y.shape, clean.Name),
            deviations = map ?? (Noise.GrowsWithSignal ? Noise.Deviations(y) : null);
        y = Noisy(y, a, map, new PhiloxNoise(Seed, [ImageKey.FromName(clean.Name)]));
        SideFile side = new()
        {
            Operator = _spec.ToString(),
            Noise = deviations is null ? Noise.Sigma : a.Restrict(deviations).sum().item<float>() / a.MeasurementCount,
            Poisson = map is null && Noise.GrowsWithSignal ? Noise.ToString() : null,
            Seed = Seed,
            InputSize = [shape.Channels, shape.Height, shape.Width],
            OutputSize = [.. a.Output.Dims],
            Threads = torch.get_num_threads(),
            Versions = Versions.Current,
            Range = clean.Range?.ToString(),
            InputSha256 = inputSha256,
            Key = key,
        };
        Tensor? alpha = clean.Alpha is null ? null : AlphaFor(clean.Alpha.narrow(2, 0, shape.Height).narrow(3, 0, shape.Width), a.Output);
        return new DegradedPicture(
            new Measurement(y, clean.Name, alpha)
            {
                Side = side,
                BitDepth = clean.BitDepth,
                Metadata = a.Output.IsImage ? Moved(clean.Metadata, a) : PictureMetadata.None,
            },
            MaskOf(a),
            Kernel(_spec)
        )
        {
            NoiseMap = map,
        };
    }

    private Tensor Noisy(Tensor y, LinearOperator a, Tensor? map, PhiloxNoise draws)
    {
        if (map is null && Noise.GrowsWithSignal)
        {
            if (!NoiseModel.MayCount(a))
                throw new OperatorSpecException(
                    "Noise that grows with the signal is that of counts, but the operator's values may be negative",
                    _spec.ToString(),
                    "Give a standard deviation"
                );
            y = a.Restrict(ShotNoise.Count(y, Noise.Gain, draws.Draw(NoiseRole.Measurement, y.shape)));
        }
        return map is not null ? y + map * a.Restrict(draws.Draw(NoiseRole.Measurement, y.shape))
            : Noise.Sigma > 0 ? y + Noise.Sigma * a.Restrict(draws.Draw(NoiseRole.Measurement, y.shape))
            : y;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bound?.Dispose();
        _bound = null;
    }

    private OperatorSpec Measured => ResizesMasks ? ResizedMask.Allow(_spec) : _spec;

    private static PictureMetadata Moved(PictureMetadata metadata, LinearOperator a)
    {
        (int, int) from = (a.Input.Height, a.Input.Width),
            to = (a.Output.Image.Height, a.Output.Image.Width);
        return metadata.HasPlaces && MeasuredGrid.Of(a) is { } grid ? metadata.For(from, to, grid.Inverse) : metadata.For(from, to);
    }

    // Kept: the next picture is mostly of the same size.
    private LinearOperator Bind(ImageShape shape)
    {
        if (_bound?.Input == shape)
            return _bound;
        Dispose();
        return _bound = Measured.Bind(shape);
    }

    private static Tensor? AlphaFor(Tensor alpha, MeasurementShape output) =>
        output.IsImage ? AlphaChannel.Resize(alpha, output.Image.Height, output.Image.Width) : null;

    /// <summary>1 where a pixel is measured.</summary>
    private static Tensor? MaskOf(LinearOperator a)
    {
        if (!a.Traits.Mask)
            return null;
        using Tensor one = torch.ones(a.Input.Batch(1));
        return a.Apply(one);
    }

    /// <summary>[1,1,k,l]: the kernel as it is convolved.</summary>
    private static Tensor? Kernel(OperatorSpec spec)
    {
        if (spec is not Blur blur)
            return null;
        using Tensor kernel = blur.BuildKernel();
        return kernel.to(ScalarType.Float32).unsqueeze(0).unsqueeze(0);
    }
}

/// <summary>A measurement and what belongs beside it.</summary>
public sealed class DegradedPicture : IDisposable
{
    /// <summary>Takes the tensors (mask [1,C,H,W], kernel [1,1,h,w]) over and detaches them from dispose scopes.</summary>
    public DegradedPicture(Measurement measurement, Tensor? mask, Tensor? kernel)
    {
        Measurement = measurement;
        Mask = mask?.DetachFromDisposeScope();
        Kernel = kernel?.DetachFromDisposeScope();
    }

    /// <summary>y, with its side file.</summary>
    public Measurement Measurement { get; }

    /// <summary>[1,C,H,W], 1 where a pixel is measured; null when the operator is no mask.</summary>
    public Tensor? Mask { get; }

    /// <summary>[1,1,k,l]; null when the operator is no blur.</summary>
    public Tensor? Kernel { get; }

    /// <summary>In the shape of the measurement: the standard deviation of each value; null where one noise holds for all. Owned.</summary>
    public Tensor? NoiseMap
    {
        get;
        init => field = value?.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Measurement.Dispose();
        Mask?.Dispose();
        Kernel?.Dispose();
        NoiseMap?.Dispose();
    }
}
