using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>Which way the angles of a scan run.</summary>
public enum RadonDirection
{
    /// <summary>Clockwise for what is simulated, counterclockwise for own sinograms; said.</summary>
    Auto,

    /// <summary>Ray s at angle a: x cos a + y sin a = s, rows y counted downwards.</summary>
    Clockwise,

    /// <summary>x cos a - y sin a = s: scikit-image, MATLAB and ASTRA.</summary>
    Counterclockwise,
}

/// <summary>Where the axis of a scan's rotation lies.</summary>
public enum RadonAxis
{
    /// <summary>The middle for what is simulated; for own sinograms the one about which their centres of mass turn; said.</summary>
    Auto,

    /// <summary>In the middle of picture and detector, (size - 1) / 2.</summary>
    Middle,

    /// <summary>On the pixel size / 2 of both, rounded down, as in scikit-image.</summary>
    Pixel,
}

/// <summary>
/// Parallel-beam tomography: line integrals along rays at equally spaced angles over half a turn, divided so that the norm is about 1. The
/// ray x cos a + y sin a = s is summed over the rows (or columns)
/// that it crosses once each, by linear interpolation between the two nearest pixels (Joseph 1982). The adjoint is the exact transpose.
/// </summary>
/// <remarks>
/// <see cref="Own"/> reads a user's own sinogram: [angles, detector], or [detector, angles] as scikit-image has it; line integrals in
/// pixels of the picture.
/// </remarks>
[Operator(
    "radon",
    About = "Line integrals at some angles: parallel-beam tomography",
    Examples = "radon:angles=60\nradon:angles=90,detector=128\nradon:angles=90,theta=0..120"
)]
public sealed record Radon : OperatorSpec
{
    /// <summary>Number of angles over half a turn.</summary>
    [Setting(Min = 1, Max = 10000)]
    public int Angles { get; init; } = 60;

    /// <summary>Number of rays per angle, one pixel apart; the picture's diagonal when absent.</summary>
    [Setting(Min = 1, Max = 65536, Unit = "pixels")]
    public int? Detector { get; init; }

    /// <summary>
    /// The angles in degrees: FIRST..END, of which the end is left out, or a file with one number for each (radians are noticed).
    /// </summary>
    [Setting]
    public string Theta { get; init; } = "0..180";

    /// <summary>Whether the end of the range of angles is measured too.</summary>
    [Setting]
    public bool Endpoint { get; init; }

    /// <summary>Distance of two rays, in pixels of the picture.</summary>
    [Setting(Min = 1e-3, Max = 1e3, Unit = "pixels")]
    public double Pitch { get; init; } = 1;

    /// <summary>
    /// Where the axis of rotation falls on the detector, counted from 0; the one that <see cref="Axis"/> says when absent.
    /// </summary>
    [Setting(Min = -65536, Max = 131072)]
    public double? Center { get; init; }

    /// <summary>Whether the axis goes through the middle of picture and detector, (n - 1) / 2, or through their pixel n / 2.</summary>
    [Setting]
    public RadonAxis Axis { get; init; }

    /// <summary>Which way the angles run in the picture as it is seen.</summary>
    [Setting]
    public RadonDirection Direction { get; init; }

    /// <summary>With an own sinogram: WIDTHxHEIGHT of the picture; as wide and high as the detector when absent.</summary>
    [Setting]
    public Region? Size { get; init; }

    /// <summary>Whether an own sinogram is [detector, angles]; noticed when absent.</summary>
    [Setting]
    public bool? Transposed { get; init; }

    /// <summary>What white is in an own sinogram's picture, in its values per pixel; of the data when absent.</summary>
    [Setting(Min = 1e-30, Max = 1e30)]
    public double? Scale { get; init; }

    /// <summary>With an own stack of sinograms: which one, counted from 1.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int? Page { get; init; }

    /// <inheritdoc/>
    public override bool TakesArrays => true;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        int diagonal = (int)Math.Ceiling(Math.Sqrt((double)input.Height * input.Height + (double)input.Width * input.Width)),
            detector = Detector ?? diagonal;
        IReadOnlyList<double> angles = ScanAngles.Of(this, null);
        return new ParallelBeam(
            input,
            Geometry(angles, detector, Axis == RadonAxis.Pixel, Direction != RadonDirection.Counterclockwise),
            device
        );
    }

    /// <inheritdoc/>
    public override OwnMeasurement Own(NumericArray array, OwnReading reading)
    {
        using ComputeScope scope = new();
        Sinogram sinogram = Sinogram.Read(this, array, reading.Where);
        List<string> notes = [.. sinogram.Notes];
        int detector = sinogram.Detector;
        if (Detector is { } said && said != detector)
            throw Error($"The sinogram has {detector} rays per angle, not {said}", "Leave detector out, or check transposed=");
        int side = Math.Max(1, (int)Math.Round(detector * Pitch));
        ImageShape picture = new(1, side, side);
        if (Size is { } size && size.In(picture) is var (_, _, width, height))
            picture = new(1, height, width);
        bool onPixel = sinogram.IsOnPixel(this, picture, notes);
        if (Direction == RadonDirection.Auto)
            notes.Add("Angles are taken counterclockwise, as by scikit-image, MATLAB and ASTRA (direction=clockwise mirrors the picture)");
        BeamGeometry geometry = Geometry(sinogram.Angles, detector, onPixel, Direction == RadonDirection.Clockwise);
        double unit = geometry.Scale(picture);
        Tensor y = (sinogram.Values * unit).to(ScalarType.Float32).reshape(1, 1, sinogram.Angles.Count, detector);
        double white = reading.White ?? Scale ?? WhiteOf(picture, geometry, y, notes);
        return new OwnMeasurement(y / white, picture, device => new ParallelBeam(picture, geometry, device))
        {
            White = white,
            Unit = unit / white,
            Kind = geometry.ToString(),
            Notes = notes,
        };
    }

    private BeamGeometry Geometry(IReadOnlyList<double> angles, int detector, bool onPixel, bool clockwise) =>
        new(
            clockwise ? angles : [.. angles.Select(angle => -angle)],
            detector,
            Pitch,
            Center ?? (onPixel ? detector / 2 : (detector - 1) / 2.0),
            onPixel
        );

    // Brightest of a damped inverse: 1 where the picture was on [0,1] already.
    private static double WhiteOf(ImageShape picture, BeamGeometry geometry, Tensor y, List<string> notes)
    {
        using ParallelBeam a = new(picture, geometry, new Device("cpu"));
        Tensor sorted = a.Guess(y).reshape(-1).sort().Values;
        double level = Math.Max(sorted[(long)(0.999 * (sorted.shape[0] - 1))].item<float>(), 1e-30);
        if (level is > 0.4 and < 1.6)
            return 1;
        notes.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The picture's values reach {level:G3} per pixel, which is taken as white (scale={level:G3} says so)"
            )
        );
        return level;
    }
}
