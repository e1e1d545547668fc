using System.Runtime.Serialization;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>How pixels are weighted when a picture is reduced.</summary>
public enum DownsampleKernel
{
    /// <summary>Keys' cubic (a = -0.5) stretched by the factor: MATLAB's imresize.</summary>
    Bicubic,

    /// <summary>A triangle of half-width f.</summary>
    Bilinear,

    /// <summary>Lanczos with three lobes, stretched by the factor.</summary>
    Lanczos,

    /// <summary>The mean of each block of f x f pixels.</summary>
    Box,

    /// <summary>One pixel of each block.</summary>
    Decimate,
}

/// <summary>Which pixel of a block <see cref="DownsampleKernel.Decimate"/> keeps.</summary>
public enum DecimationPhase
{
    /// <summary>The middle one, floor((f-1)/2).</summary>
    Center,

    /// <summary>The upper left one.</summary>
    [EnumMember(Value = "0")]
    First,
}

/// <summary>
/// Reduction by a whole factor f in MATLAB's convention: output pixel o lies at input coordinate (o + 1/2) f - 1/2, weights kernel((j -
/// centre) / f) normalised to sum 1. With f = 2 and <c>box</c>,
/// 1 3 5 7 becomes 2 6.
/// </summary>
/// <remarks>
/// The boundaries <c>symmetric</c> (MATLAB's) and <c>circular</c> have closed forms at any size by folding of aliases; <c>box</c> and
/// <c>decimate</c> never look beyond the edges.
/// </remarks>
[Operator(
    "downsample",
    About = "Reduces by a whole factor: super-resolution",
    Examples = "downsample:factor=4\ndownsample:factor=2,kernel=box\nblur:sigma=1.6,boundary=circular|downsample:factor=3,kernel=decimate"
)]
public sealed record Downsample : OperatorSpec
{
    /// <summary>The factor in both directions.</summary>
    [Setting(Symbol = "f", Min = 1, Max = 256)]
    public int Factor { get; init; } = 4;

    /// <summary>The weights: cubic, triangle, Lanczos-3, block mean, or one pixel of each block.</summary>
    [Setting]
    public DownsampleKernel Kernel { get; init; } = DownsampleKernel.Bicubic;

    /// <summary>
    /// The pixel of a block that <see cref="DownsampleKernel.Decimate"/> keeps: the middle one, floor((f-1)/2), or the first.
    /// </summary>
    [Setting]
    public DecimationPhase Phase { get; init; } = DecimationPhase.Center;

    /// <summary>The picture beyond its edges.</summary>
    [Setting]
    public Boundary Boundary { get; init; } = Boundary.Symmetric;

    /// <summary>The taps of a kernel and the distance of the first from the output pixel's centre; they sum to one.</summary>
    internal static (double[] Taps, double First) TapsOf(DownsampleKernel kernel, int factor)
    {
        ResampleKernel weights = kernel switch
        {
            DownsampleKernel.Bicubic => ResampleKernel.Bicubic,
            DownsampleKernel.Bilinear => ResampleKernel.Bilinear,
            DownsampleKernel.Lanczos => ResampleKernel.Lanczos,
            _ => throw new ArgumentException($"{kernel} has no taps.", nameof(kernel)),
        };
        // Centres lie on a pixel for odd factors and between two for even ones.
        double shift = factor % 2 == 1 ? 0 : 0.5;
        int reach = (int)Math.Floor(weights.Support * factor - shift - 1e-9);
        double first = -reach - shift;
        double[] taps = [.. Enumerable.Range(0, (int)Math.Round(-2 * first) + 1).Select(i => weights.Weight((first + i) / factor))];
        double sum = taps.Sum();
        return ([.. taps.Select(t => t / sum)], first);
    }

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (Phase != DecimationPhase.Center && Kernel != DownsampleKernel.Decimate)
            throw Error("phase belongs to kernel=decimate");
        if (Boundary == Boundary.Valid)
            throw Error("downsample has no boundary \"valid\"", "Use symmetric, circular, reflect, replicate or zero");
    }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        if (Factor == 1)
            return new Identity().Bind(input, device);
        (int fitHeight, int fitWidth) = (input.Height - input.Height % Factor, input.Width - input.Width % Factor);
        if (fitHeight == 0 || fitWidth == 0)
            throw Error(
                $"The picture is {input.Height}x{input.Width} (height x width), smaller than the factor {Factor}",
                "Use a smaller factor"
            );
        if (fitHeight != input.Height || fitWidth != input.Width)
            throw Error(
                $"The picture is {input.Height}x{input.Width} (height x width), which {Factor} does not divide",
                $"Crop it to {fitHeight}x{fitWidth} (--crop-to-fit, or \"crop:box={fitWidth}x{fitHeight}\" before it)"
            );
        if (Kernel == DownsampleKernel.Decimate)
            return new Decimation(input, Factor, Phase == DecimationPhase.Center ? (Factor - 1) / 2 : 0, device);
        if (Kernel == DownsampleKernel.Box)
            return new BlockMean(input, Factor, device);
        using DisposeScope scope = torch.NewDisposeScope();
        (double[] taps, double first) = TapsOf(Kernel, Factor);
        MirroredConvolution mirrored = new(
            input,
            torch.outer(MirroredConvolution.Gain(input.Height, taps, first), MirroredConvolution.Gain(input.Width, taps, first)),
            Factor,
            blur: false,
            taps.Length,
            device
        );
        if (Boundary == Boundary.Symmetric)
            return mirrored;
        Tensor kernel = torch.outer(torch.tensor(taps), torch.tensor(taps));
        double centre = (Factor - 1) / 2.0;
        if (Boundary == Boundary.Circular)
        {
            mirrored.Dispose();
            // Correlation: element t lies first + t + centre off the kept pixel 0, so the turned kernel's transfer function is the
            // conjugate's.
            Tensor transfer = CircularConvolution
                .TransferOf(kernel, input.Height, input.Width, -(first + centre), -(first + centre))
                .conj()
                .resolve_conj();
            return new CircularConvolution(input, transfer, Factor, blur: false, centre, taps.Length, device);
        }
        int offset = (int)Math.Round(first + centre);
        return new PaddedConvolution(input, kernel, (offset, offset), Boundary, Factor, mirrored, blur: false, device);
    }

    /// <inheritdoc/>
    public override AreaOperators? ByArea(ImageShape picture, Device device)
    {
        if (Boundary == Boundary.Circular && Kernel is not (DownsampleKernel.Box or DownsampleKernel.Decimate))
            return null;
        int reach = Kernel is DownsampleKernel.Box or DownsampleKernel.Decimate ? Factor : TapsOf(Kernel, Factor).Taps.Length;
        return new AreaOperators(Factor, reach, Factor, area => Bind(picture with { Height = area.Height, Width = area.Width }, device));
    }
}
