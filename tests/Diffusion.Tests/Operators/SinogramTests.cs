using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

/// <summary>Sinograms as other programs keep them are what the operator makes of the picture behind them.</summary>
public sealed class SinogramTests : IDisposable
{
    private const int Side = 24;

    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-sinogram-").FullName;

    static SinogramTests() => NativeLibraries.LoadTorch();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Projections_are_those_of_scikit_image()
    {
        using ComputeScope scope = new();
        // radon(p, [0, 30, 75, 120], circle=True)[4:20:3] of scikit-image 0.19.3, p being Scene.
        double[,] recorded = Recorded;
        Radon spec = new()
        {
            Theta = WriteAngles(0, 30, 75, 120),
            Detector = Side,
            Direction = RadonDirection.Counterclockwise,
            Axis = RadonAxis.Pixel,
        };
        ImageShape shape = new(1, Side, Side);
        using LinearOperator a = spec.Bind(shape);
        Tensor y = a.Apply(Scene().reshape(1, 1, Side, Side)) * Math.Sqrt(4 * Side);
        for (int angle = 0; angle < 4; angle++)
        for (int s = 0; s < 6; s++)
            Assert.Equal(recorded[s, angle], y[0, 0, angle, 4 + 3 * s].item<float>(), 0.05);
    }

    [Fact]
    public void A_phantom_that_scikit_image_projects_is_taken_as_it_was_meant()
    {
        DebianPython.Run(
            "numpy, skimage.transform",
            """
            import sys, numpy as np
            from skimage.transform import radon, iradon, resize
            from skimage.data import shepp_logan_phantom
            d = sys.argv[1]
            p = resize(shepp_logan_phantom(), (64, 64), anti_aliasing=True)
            np.savetxt(d + '/picture.txt', p)
            t = np.linspace(0, 180, 40, endpoint=False)
            s = radon(p, t)
            np.save(d + '/a.npy', s); np.save(d + '/b.npy', s.T.copy()); np.save(d + '/angles.npy', t)
            np.save(d + '/c.npy', radon(p, np.linspace(0, 180, 40)))
            np.save(d + '/d.npy', radon(p, t, circle=False))
            np.savetxt(d + '/radians.txt', np.deg2rad(t))
            np.savetxt(d + '/back.txt', iradon(s, t))
            """,
            _folder
        );
        using ComputeScope scope = new();
        string At(string file) => Path.Combine(_folder, file);
        Tensor x = ArrayFile.Read(At("picture.txt")).Values.to(ScalarType.Float32);
        foreach (
            (string file, Radon spec) in ((string, Radon)[])
                [
                    ("a.npy", new()),
                    ("a.npy", new() { Theta = At("angles.npy") }),
                    ("b.npy", new() { Theta = At("radians.txt") }),
                    ("c.npy", new() { Endpoint = true }),
                    ("d.npy", new() { Size = Region.At(64, 64, 0, 0) }),
                ]
        )
        {
            using Measurement measurement = Measurement.Open(At(file), new MeasurementOptions { Operator = spec });
            OwnMeasurement own = measurement.Own!;
            Assert.Equal((new ImageShape(1, 64, 64), 1), (own.Picture, own.White));
            using LinearOperator a = own.Bind!(new Device("cpu"));
            Tensor y = a.Apply(x.reshape(1, 1, 64, 64));
            double apart = Math.Sqrt((y - own.Y).square().sum().item<float>() / own.Y.square().sum().item<float>());
            Assert.True(apart < 0.015, $"{file}: {apart}");
        }
        // The damped inverse is the picture, as filtered back-projection is.
        using Measurement noted = Measurement.Open(At("a.npy"), new MeasurementOptions { Operator = new Radon() });
        using LinearOperator bound = noted.Own!.Bind!(new Device("cpu"));
        Tensor guess = bound.PseudoInverse(noted.Y, 1e-4),
            back = ArrayFile.Read(At("back.txt")).Values.to(ScalarType.Float32);
        double Error(Tensor picture) => (picture.reshape(64, 64) - x).square().mean().item<float>();
        Assert.True(Error(guess) < Error(back), $"{Error(guess)} {Error(back)}");
    }

    [Fact]
    public void A_sinogram_of_this_radon_is_inverted_by_scikit_image()
    {
        using ComputeScope scope = new();
        Radon spec = new()
        {
            Angles = 60,
            Detector = 64,
            Direction = RadonDirection.Counterclockwise,
            Axis = RadonAxis.Pixel,
        };
        Tensor x = torch.zeros(1, 1, 64, 64);
        // Unlike its mirror pictures and turns.
        x.narrow(2, 14, 8).narrow(3, 20, 30).fill_(1);
        x.narrow(2, 14, 34).narrow(3, 20, 6).fill_(0.5);
        using LinearOperator a = spec.Bind(new ImageShape(1, 64, 64));
        Tensor y = a.Apply(x).reshape(60, 64) * Math.Sqrt(60 * 64);
        File.WriteAllLines(
            Path.Combine(_folder, "ours.txt"),
            Enumerable
                .Range(0, 60)
                .Select(i => string.Join(' ', y[i].data<float>().Select(v => v.ToString("R", CultureInfo.InvariantCulture))))
        );
        DebianPython.Run(
            "numpy, skimage.transform",
            """
            import sys, numpy as np
            from skimage.transform import iradon
            d = sys.argv[1]
            np.savetxt(d + '/inverted.txt', iradon(np.loadtxt(d + '/ours.txt').T, np.linspace(0, 180, 60, endpoint=False)))
            """,
            _folder
        );
        Tensor back = ArrayFile.Read(Path.Combine(_folder, "inverted.txt")).Values.to(ScalarType.Float32);
        double Error(Tensor picture) => (back - picture).square().mean().sqrt().item<float>();
        Tensor plane = x.reshape(64, 64);
        Assert.True(Error(plane) < 0.06, $"{Error(plane)}");
        Assert.True(Error(plane) < 0.4 * Error(plane.flip(0)), $"{Error(plane)} {Error(plane.flip(0))}");
    }

    [Theory, InlineData(9, 13, 7, null), InlineData(14, 8, 5, 30), InlineData(11, 11, 3, 6)]
    public void Adjoints_hold_for_any_geometry(int height, int width, int angles, int? detector)
    {
        torch.set_num_threads(1);
        foreach (
            Radon spec in (Radon[])
                [
                    new()
                    {
                        Angles = angles,
                        Detector = detector,
                        Pitch = 1.7,
                    },
                    new()
                    {
                        Angles = angles,
                        Detector = detector,
                        Pitch = 0.6,
                        Center = 2.3,
                        Direction = RadonDirection.Counterclockwise,
                    },
                    new()
                    {
                        Angles = angles,
                        Detector = detector,
                        Theta = "-20..300",
                        Axis = RadonAxis.Pixel,
                    },
                ]
        )
        {
            using LinearOperator a = spec.Bind(new ImageShape(2, height, width));
            OperatorCheck.Report report = OperatorCheck.Run(a);
            Assert.True(report.Passed, $"{spec}: {report}");
        }
    }

    [Fact]
    public void Pitch_and_centre_are_where_they_say()
    {
        using ComputeScope scope = new();
        Tensor point = torch.zeros(1, 1, 21, 21);
        point[0, 0, 10, 16] = 1;
        // Six pixels right of the axis: six over the pitch from where the axis falls.
        using LinearOperator a = new Radon
        {
            Angles = 2,
            Detector = 21,
            Pitch = 1.5,
            Center = 8,
        }.Bind(new ImageShape(1, 21, 21));
        Tensor y = a.Apply(point);
        Assert.Equal((12L, 8L), (y[0, 0, 0].argmax().item<long>(), y[0, 0, 1].argmax().item<long>()));
    }

    [Fact]
    public void Doubtful_conventions_are_said_with_their_key()
    {
        using ComputeScope scope = new();
        using LinearOperator a = new Radon
        {
            Angles = 40,
            Detector = 40,
            Direction = RadonDirection.Counterclockwise,
        }.Bind(new ImageShape(1, Side, Side));
        Tensor y = a.Apply(Scene().reshape(1, 1, Side, Side))[0, 0] * Math.Sqrt(40 * Side);
        IReadOnlyList<string> Notes(Radon spec, Tensor values)
        {
            using OwnMeasurement own = spec.Own(new NumericArray(values, SampleType.Float32), new("sinogram"));
            return own.Notes;
        }
        Radon sized = new() { Size = Region.At(Side, Side, 0, 0) };
        void Said(string what, Radon spec, Tensor values) =>
            Assert.Contains(Notes(spec, values), note => note.Contains(what, StringComparison.Ordinal));
        void Unsaid(string what, Radon spec, Tensor values) =>
            Assert.DoesNotContain(Notes(spec, values), note => note.Contains(what, StringComparison.Ordinal));
        Said("transposed=true", sized, y);
        Said("transposed=false", sized, y.t());
        Said("direction=clockwise", sized, y);
        Said("center=22.5", sized, y.roll(3, 1));
        Unsaid("center", sized, y);
        Unsaid("center", sized with { Center = 22.5 }, y.roll(3, 1));
        Said("scale=0.0", sized, y * 0.02);
        Unsaid("scale", sized, y);
        Said("endpoint=true", sized, torch.cat([y, y[0].flip(0).unsqueeze(0)]));
        Unsaid("endpoint", sized, y);
        using OwnMeasurement scaled = sized.Own(new NumericArray(y * 0.02, SampleType.Float32), new("sinogram", White: 0.02));
        Assert.Equal(0, (scaled.Y - a.Apply(Scene().reshape(1, 1, Side, Side))).abs().max().item<float>(), 1e-4);
    }

    [Fact]
    public void What_is_no_sinogram_is_refused()
    {
        using ComputeScope scope = new();
        void Refused(Radon spec, Tensor values, string what)
        {
            SampleType type = values.is_complex() ? SampleType.Complex64 : SampleType.Float32;
            OperatorSpecException refusal = Assert.Throws<OperatorSpecException>(() => spec.Own(new NumericArray(values, type), new("s")));
            Assert.Contains(what, refusal.Message);
        }
        Tensor ones = torch.ones(20, 30);
        Refused(new(), ones.expand(3, 20, 30), "page=1 to page=3");
        Refused(new(), ones * double.NaN, "NaN");
        Refused(new(), ones * 0, "zero");
        Refused(new() { Detector = 25 }, ones, "30 rays");
        Refused(new() { Theta = "nowhere.txt" }, ones, "neither a range nor a file");
        Refused(new() { Theta = WriteAngles(1, 2, 3) }, ones, "3 angles");
        Refused(new(), torch.complex(ones, ones), "complex");
    }

    // x counted right, y counted down, neither round nor mirrored, and zero at the rim.
    private static Tensor Scene()
    {
        Tensor y = torch.arange(Side, dtype: ScalarType.Float32).unsqueeze(1),
            x = torch.arange(Side, dtype: ScalarType.Float32);
        return (-((y - 9).square() / 8 + (x - 13).square() / 14)).exp() + 0.5f * (-((y - 15).square() + (x - 8).square()) / 5).exp();
    }

    private string WriteAngles(params int[] degrees)
    {
        string path = Path.Combine(_folder, "angles.txt");
        File.WriteAllLines(path, degrees.Select(angle => $"{angle}"));
        return path;
    }

    private static readonly double[,] Recorded =
    {
        { 0.0962, 0.3450, 0.0862, 0.0002 },
        { 2.0056, 1.9762, 1.5504, 0.0866 },
        { 3.5263, 1.5526, 1.2553, 2.4133 },
        { 5.0266, 4.5431, 3.7507, 6.4920 },
        { 2.6359, 4.2648, 5.8675, 4.1726 },
        { 0.3831, 0.9748, 1.1716, 0.5179 },
    };
}
