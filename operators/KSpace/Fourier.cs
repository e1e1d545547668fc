using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// Undersampled orthonormal Fourier measurements. A real picture's frequencies k and -k are conjugates, so a half plane is measured: the
/// real part where k = -k, else sqrt(2) times the real and the
/// imaginary part, which makes A A^T = I with independent noise of equal strength on every component.
/// </summary>
/// <remarks>
/// <see cref="Own"/> reads a user's own frequencies: complex [rows, columns], [coils, rows, columns] or [slices, coils, rows, columns], or
/// real with real and imaginary parts along a last axis of two. With several coils A = M F S, S being the coils' sensitivities.
/// </remarks>
[Operator(
    "fourier",
    About = "Some frequencies: accelerated magnetic-resonance imaging",
    Examples = "fourier:acceleration=4\nfourier:acceleration=8,lines=radial"
)]
public sealed record Fourier : OperatorSpec
{
    private const string Auto = "auto",
        None = "none";

    /// <summary>One of how many frequencies is measured.</summary>
    [Setting(Min = 1, Max = 1000)]
    public double Acceleration { get; init; } = 4;

    /// <summary>The fraction of rows in the middle that are all measured (cartesian).</summary>
    [Setting(Min = 0, Max = 1)]
    public double Center { get; init; } = 0.08;

    /// <summary>Rows of frequencies, or spokes through the origin.</summary>
    [Setting]
    public FourierLines Lines { get; init; } = FourierLines.Cartesian;

    /// <summary>Seed of the random rows, or of the first spoke's angle.</summary>
    [Setting]
    public ulong Seed { get; init; }

    /// <summary>
    /// Own measurements: a file that says which frequencies were measured, a plane or one line for all rows; an array or a picture.
    /// </summary>
    [Setting]
    public string? Mask { get; init; }

    /// <summary>Whether what the mask marks is missing.</summary>
    [Setting]
    public bool Invert { get; init; }

    /// <summary>
    /// A file of the coils' complex sensitivities [coils, rows, columns]; auto takes them, and the picture's phase, from the middle
    /// frequencies; none takes the picture as real.
    /// </summary>
    [Setting]
    public string? Maps { get; init; }

    /// <summary>
    /// Where frequency zero lies: true is the middle, with the picture's origin in its middle; false is first; kspace is the middle of
    /// fftshift(fft2(x)).
    /// </summary>
    [Setting]
    public Centering Centered { get; init; }

    /// <summary>Whether an own array is a full plane, or half of one as numpy.fft.rfft2 gives.</summary>
    [Setting]
    public FourierPlane Plane { get; init; }

    /// <summary>With half a plane: the picture's width; twice the columns less one when absent.</summary>
    [Setting(Min = 1, Max = 1_000_000, Unit = "pixels")]
    public int? Width { get; init; }

    /// <summary>How an own array is normalised: auto is the norm that brings the picture to [0,1], else ortho.</summary>
    [Setting]
    public FourierNorm Norm { get; init; }

    /// <summary>What white is in an own array's picture; of the data when absent.</summary>
    [Setting(Min = 1e-30, Max = 1e30)]
    public double? Scale { get; init; }

    /// <summary>With own measurements of several slices: which one, counted from 1.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int? Page { get; init; }

    private bool HasMapsFile => Maps is not (null or Auto or None);

    /// <inheritdoc/>
    public override bool TakesArrays => true;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        (int height, int width) = (input.Height, input.Width);
        if (Maps == Auto)
            throw Error("The sensitivities are to be found in frequencies, but there are none here", "Give maps=FILE");
        bool[] measured = Mask is { } path ? Order(FrequencyFile.Mask(path, height, width, Invert)) : Trajectories.Of(this, height, width);
        if (HasMapsFile)
            return new CoilFourier(input, FrequencyFile.Maps(Maps!, height, width), Indices(measured), device);
        MeasuredFrequencies frequencies = new(measured, height, width);
        HalfPlane rows = new(input, frequencies, device);
        return Mask is null ? rows : new GainedRows(rows, frequencies.Gains());
    }

    /// <inheritdoc/>
    public override OwnMeasurement Own(NumericArray array, OwnReading reading)
    {
        using ComputeScope scope = new();
        KSpace kspace = KSpace.Read(this, array, reading.Where);
        List<string> notes = [.. kspace.Notes];
        ImageShape picture = new(1, kspace.Height, kspace.Width);
        Tensor? maps = MapsOf(kspace, reading.Where, notes);
        double level = BrightestOf(kspace.ZeroFilled(maps)),
            pixels = (double)picture.Height * picture.Width;
        (double norm, double white) = ScaleOf(level, pixels, reading.White ?? Scale, notes);
        kspace.Scale(1 / (norm * white));
        bool[] measured = kspace.Measured.data<bool>().ToArray();
        if (maps is not null)
        {
            long[] indices = Indices(measured);
            Tensor f = kspace.F.index_select(1, torch.tensor(indices)),
                y = torch.cat([f.real, f.imag], 1).to(ScalarType.Float32).reshape(1, 1, maps.shape[0], -1);
            return Made(y, d => new CoilFourier(picture, maps, indices, d), maps, kspace.Measured);
        }
        MeasuredFrequencies frequencies = new(measured, picture.Height, picture.Width);
        return Made(
            frequencies.Pack(kspace.F[0]).reshape(1, 1, -1),
            d => new GainedRows(new HalfPlane(picture, frequencies, d), frequencies.Gains()),
            kspace.Measured
        );

        OwnMeasurement Made(Tensor y, Func<Device, LinearOperator> bind, params Tensor[] made) =>
            new(y, picture, bind, made)
            {
                White = white,
                Unit = 1 / (norm * white),
                Notes = notes,
            };
    }

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (Invert && Mask is null)
            throw Error("invert=true has no mask", "Give mask=FILE");
    }

    private Tensor? MapsOf(KSpace kspace, string where, List<string> notes)
    {
        if (HasMapsFile)
        {
            Tensor maps = FrequencyFile.Maps(Maps!, kspace.Height, kspace.Width);
            if (maps.shape[0] != kspace.Coils)
                throw new OperatorSpecException(
                    $"There are sensitivity maps of {maps.shape[0]} coils, but frequencies of {kspace.Coils}",
                    where,
                    "Give one map for each coil"
                );
            if (kspace.PhaseBehind(maps) is not { } phase)
                return maps;
            notes.Add("The picture behind the maps is complex: its smooth phase is taken from the middle frequencies");
            return maps * phase;
        }
        if (Maps == None && kspace.Coils > 1)
            throw new OperatorSpecException(
                $"The frequencies of {kspace.Coils} coils make no real picture",
                where,
                "Pass maps=FILE or auto"
            );
        if (Maps == None || (Maps is null && kspace.IsReal()))
            return null;
        notes.Add(
            kspace.Coils > 1
                ? "The coils' sensitivities and the picture's phase are taken from the middle frequencies"
                : "The picture behind the frequencies is complex: its smooth phase is taken from the middle frequencies, and its magnitude "
                    + "restored (maps=none takes it as real)"
        );
        return kspace.EstimatedMaps();
    }

    // What the values are divided by to be orthonormal, and what white is then.
    private (double Norm, double White) ScaleOf(double level, double pixels, double? white, List<string> notes)
    {
        double root = Math.Sqrt(pixels);
        (FourierNorm Name, double Factor)[] norms = [(FourierNorm.Ortho, 1), (FourierNorm.Backward, root), (FourierNorm.Forward, 1 / root)];
        if (Norm != FourierNorm.Auto)
            norms = [norms.First(norm => norm.Name == Norm)];
        bool IsNear(double factor) => level / factor / (white ?? 1) is > 0.4 and < 1.6;
        (FourierNorm Name, double Factor) chosen = norms.FirstOrDefault(norm => IsNear(norm.Factor), norms[0]);
        if (white is null && !IsNear(chosen.Factor))
        {
            white = level / chosen.Factor;
            notes.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The picture's values reach {white:G3}, which is taken as white (scale={white:G3} says so)"
                )
            );
        }
        if (Norm == FourierNorm.Auto && chosen.Name != FourierNorm.Ortho)
            notes.Add($"The frequencies are taken as normalised by norm={chosen.Name.ToString().ToLowerInvariant()}");
        return (chosen.Factor, white ?? 1);
    }

    private static double BrightestOf(Tensor picture)
    {
        Tensor sorted = picture.abs().reshape(-1).sort().Values;
        return Math.Max(sorted[(long)(0.999 * (sorted.shape[0] - 1))].item<double>(), 1e-30);
    }

    // A mask's file in the order of numpy.fft.fft2.
    private bool[] Order(Tensor mask)
    {
        bool middle = Centered is Centering.True or Centering.Kspace;
        if (Centered == Centering.Auto)
        {
            // Where more is measured.
            Tensor known = mask.to(ScalarType.Float32);
            (long h, long w) = (Math.Max(1, mask.shape[0] / 8), Math.Max(1, mask.shape[1] / 8));
            double Around(Tensor t) => t.narrow(0, t.shape[0] / 2 - h / 2, h).narrow(1, t.shape[1] / 2 - w / 2, w).mean().item<float>();
            middle = Around(known) >= Around(torch.fft.fftshift(known));
        }
        return (middle ? torch.fft.ifftshift(mask) : mask).contiguous().reshape(-1).data<bool>().ToArray();
    }

    private static long[] Indices(bool[] measured) =>
        [.. Enumerable.Range(0, measured.Length).Where(k => measured[k]).Select(k => (long)k)];
}
