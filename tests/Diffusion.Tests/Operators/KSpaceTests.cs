using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

/// <summary>Frequencies as other programs keep them are what the operator makes of the picture behind them.</summary>
public sealed class KSpaceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-kspace-").FullName;

    static KSpaceTests() => NativeLibraries.LoadTorch();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<Centering, FourierNorm, int, int> Conventions =>
        [
            .. from centered in Enum.GetValues<Centering>()
            from norm in Enum.GetValues<FourierNorm>()
            from height in (int[])[32, 33]
            from width in (int[])[24, 27]
            select (centered, norm, height, width),
        ];

    [Theory, MemberData(nameof(Conventions))]
    public void A_full_plane_of_a_picture_is_its_measurement(Centering centered, FourierNorm norm, int height, int width)
    {
        using ComputeScope scope = new();
        Tensor x = Scene(height, width),
            shifted = centered is Centering.True or Centering.Auto ? torch.fft.ifftshift(x) : x,
            f = torch.fft.fft2(shifted, norm: Type(norm));
        if (centered != Centering.False)
            f = torch.fft.fftshift(f);
        Check(new Fourier { Centered = centered, Norm = norm }, f, x);
    }

    [Theory, InlineData(32, 24), InlineData(33, 24), InlineData(32, 27)]
    public void Half_a_plane_is_measured_as_what_it_is(int height, int width)
    {
        using ComputeScope scope = new();
        Tensor x = Scene(height, width);
        Check(new Fourier { Width = width % 2 == 1 ? width : null }, torch.fft.rfft2(x, norm: FFTNormType.Ortho), x);
        Check(
            new Fourier
            {
                Plane = FourierPlane.Half,
                Width = width,
                Centered = Centering.Kspace,
            },
            torch.fft.fftshift(torch.fft.rfft2(x, norm: FFTNormType.Ortho), [0L]),
            x
        );
    }

    [Theory, InlineData("columns"), InlineData("rows"), InlineData("plane"), InlineData("inverted"), InlineData("none")]
    public void Masks_are_planes_or_lines(string kind)
    {
        using ComputeScope scope = new();
        (int n, Random random) = (32, new Random(3));
        bool[] line = [.. Enumerable.Range(0, n).Select(i => Math.Abs(i - n / 2) < 3 || random.Next(3) == 0)];
        Tensor x = Scene(n, n),
            mask = torch.tensor(line).expand(n, n);
        if (kind is "rows")
            mask = mask.t();
        Tensor f = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(x), norm: FFTNormType.Ortho)) * mask;
        string text = string.Join(' ', line.Select(known => known != (kind == "inverted") ? 1 : 0));
        string path = Path.Combine(_folder, "mask.txt");
        File.WriteAllLines(path, kind is "plane" ? Enumerable.Repeat(text, n) : [text]);
        Check(new Fourier { Mask = kind == "none" ? null : path, Invert = kind == "inverted" }, f, x);
        if (kind == "plane")
            Check(new Fourier { Mask = path, Centered = Centering.Auto }, f, x, ofSpec: true);
    }

    [Fact]
    public void Redundant_frequencies_keep_white_noise_and_half_its_power()
    {
        using ComputeScope scope = new();
        // Columns 1..3 of 8 are measured; their partners 7..5 are not, nor is column 4.
        string path = Path.Combine(_folder, "mask.txt");
        File.WriteAllText(path, "1 1 1 1 0 0 0 0");
        ImageShape shape = new(1, 8, 8);
        using LinearOperator a = new Fourier { Mask = path, Centered = Centering.False }.Bind(shape);
        Tensor n = torch.randn([2000, 8, 8], generator: new torch.Generator(4)),
            m = torch.randn([2000, 8, 8], generator: new torch.Generator(5)),
            f = torch.complex(n, m);
        Tensor[] packed =
        [
            .. Enumerable
                .Range(0, 2000)
                .Select(i =>
                {
                    Fourier own = new()
                    {
                        Mask = path,
                        Centered = Centering.False,
                        Scale = 1,
                        Norm = FourierNorm.Ortho,
                        Maps = "none",
                    };
                    using OwnMeasurement y = own.Own(new NumericArray(f[i].clone(), SampleType.Complex64), new("noise"));
                    return y.Y.clone();
                }),
        ];
        Tensor power = torch.cat(packed).square().mean([0L, 1L]);
        Assert.Equal(1, power.min().item<float>(), 0.15);
        Assert.Equal(1, power.max().item<float>(), 0.15);
        // Column 0 holds both of each pair: 1; the others one: root 1/2.
        Assert.Equal([0.7071f, 1f], a.Spectrum!.Singulars.data<float>().Select(s => MathF.Round(s, 4)).Distinct().Order());
    }

    [Theory, InlineData(31, 40, 3), InlineData(16, 9, 1), InlineData(7, 12, 4)]
    public void Adjoints_and_inverses_of_own_masks_and_coils_hold(int height, int width, int coils)
    {
        using ComputeScope scope = new();
        torch.set_num_threads(1);
        Random random = new(height);
        string mask = Path.Combine(_folder, "mask.txt");
        File.WriteAllLines(
            mask,
            Enumerable.Range(0, height).Select(_ => string.Join(' ', Enumerable.Range(0, width).Select(_ => random.Next(2))))
        );
        using LinearOperator a = new Fourier { Mask = mask }.Bind(new ImageShape(3, height, width));
        OperatorCheck.Report report = OperatorCheck.Run(a);
        Assert.True(report.Passed, $"{report}");
        using LinearOperator b = new Fourier { Mask = mask, Maps = WriteMaps(Maps(coils, height, width)) }.Bind(
            new ImageShape(2, height, width)
        );
        report = OperatorCheck.Run(b);
        Assert.True(report.Passed, $"{report}");
        Assert.Equal([2L, coils], b.Output.Dims.Take(2));
    }

    [Fact]
    public void Coils_are_what_each_one_sees()
    {
        using ComputeScope scope = new();
        Tensor x = Scene(33, 24),
            maps = Maps(3, 33, 24),
            f = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(maps * x, [-2L, -1L]), norm: FFTNormType.Ortho), [-2L, -1L]);
        Check(new Fourier { Maps = WriteMaps(maps) }, f, x);
        // A stack of slices, on a scale of its own.
        Fourier second = new() { Maps = WriteMaps(maps), Page = 2 };
        using OwnMeasurement own = second.Own(Array(torch.stack([0 * f, 3e-4 * f])), new("stack"));
        Assert.InRange(own.White, 2e-4, 4e-4);
        Measured(own, second, x * (float)(3e-4 / own.White), 1e-4);
    }

    [Fact]
    public void Sensitivities_and_phase_are_found_in_the_middle()
    {
        using ComputeScope scope = new();
        Tensor x = Scene(48, 40),
            rows = torch.linspace(-0.5, 0.5, 48).unsqueeze(1),
            columns = torch.linspace(-0.5, 0.5, 40),
            phase = torch.polar(torch.ones(48, 40), 0.5f + 1.2f * columns + 2 * rows * rows),
            maps = Maps(4, 48, 40) * phase;
        Tensor Frequencies(Tensor pictures) =>
            torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(pictures, [-2L, -1L]), norm: FFTNormType.Ortho), [-2L, -1L]);
        foreach (
            (Fourier spec, Tensor f) in ((Fourier, Tensor)[])
                [
                    (
                        new()
                        {
                            Scale = 1,
                            Norm = FourierNorm.Ortho,
                            Maps = "auto",
                        },
                        Frequencies(maps * x)
                    ),
                    (new() { Scale = 1, Norm = FourierNorm.Ortho }, Frequencies(phase * x)),
                    (
                        new()
                        {
                            Scale = 1,
                            Norm = FourierNorm.Ortho,
                            Maps = WriteMaps(Maps(4, 48, 40)),
                        },
                        Frequencies(maps * x)
                    ),
                ]
        )
        {
            using OwnMeasurement own = spec.Own(Array(f), new("kspace"));
            Assert.Contains(own.Notes, note => note.Contains("phase", StringComparison.Ordinal));
            using LinearOperator a = own.Bind!(new Device("cpu"));
            Tensor magnitude = x * maps.abs().square().sum([0L]).sqrt();
            Tensor expected = f.dim() == 2 || spec.Maps != "auto" ? x : magnitude;
            double apart = (a.Apply(expected.reshape(1, 1, 48, 40)) - own.Y).square().sum().item<float>(),
                energy = own.Y.square().sum().item<float>();
            Assert.True(apart < 2e-3 * energy, $"{spec}: {apart / energy}");
        }
    }

    [Fact]
    public void What_is_no_measurement_is_refused_with_the_key_that_helps()
    {
        using ComputeScope scope = new();
        Tensor x = Scene(32, 32),
            f = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(x)));
        void Refused(Fourier spec, Tensor values, string what)
        {
            SampleType type = values.is_complex() ? SampleType.Complex64 : SampleType.Float32;
            OperatorSpecException refusal = Assert.Throws<OperatorSpecException>(() =>
                spec.Own(new NumericArray(values, type), new("kspace.npy"))
            );
            Assert.Contains(what, refusal.Message);
        }
        Refused(new(), f.abs(), "both parts are needed");
        Refused(new(), f.expand(5, 32, 32), "maps=FILE");
        Refused(new() { Maps = "auto" }, f.unsqueeze(-1).expand(32, 32, 5), "moveaxis");
        Refused(new(), f.expand(2, 3, 32, 32), "page=1 to page=2");
        Refused(new() { Page = 3 }, f.expand(2, 32, 32), "pages 1 to 2");
        Refused(new(), 0 * f, "zero");
        Refused(new() { Maps = WriteMaps(Maps(2, 32, 32)) }, f, "2 coils");
        Refused(new(), f.roll(7, 0), "centered=true");
        string path = Path.Combine(_folder, "mask.txt");
        File.WriteAllText(path, string.Join(' ', Enumerable.Range(0, 32).Select(i => Math.Abs(i - 16) < 6 ? 0 : 1)));
        Refused(new() { Mask = path }, f, "invert=true");
        File.WriteAllText(path, string.Join(' ', Enumerable.Range(0, 31)));
        Refused(new() { Mask = path }, f, "32x32");
    }

    [Fact]
    public void Files_of_NumPy_and_h5py_are_read_as_they_were_meant()
    {
        DebianPython.Run(
            "numpy, h5py",
            """
            import sys, numpy as np, h5py
            d = sys.argv[1]
            y, x = np.mgrid[0:40, 0:36]
            p = np.exp(-((y - 18) ** 2 + (x - 20) ** 2) / 60) * (0.7 + 0.3 * np.cos(x / 3))
            m = (np.abs(np.arange(36) - 18) < 5) | (np.arange(36) % 3 == 0)
            np.savetxt(d + '/picture.txt', p); np.save(d + '/mask.npy', m)
            k = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(p), norm='ortho'))
            np.save(d + '/a.npy', (k * m).astype(np.complex64))
            np.savez(d + '/b.npz', kspace=k * m, mask=m)
            np.save(d + '/c.npy', np.fft.fft2(p))
            np.save(d + '/d.npy', np.fft.rfft2(p))
            s = np.stack([np.exp(1j * (x / 20 + c)) * np.exp(-((y - 20 * c) ** 2) / 900) for c in (0, 1, 2)]).astype(np.complex64)
            np.save(d + '/maps.npy', s)
            with h5py.File(d + '/e.h5', 'w') as f:
                f['kspace'] = np.stack([np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(s * p, (1, 2)), norm='ortho'), (1, 2)) * m] * 2)
                f['mask'] = m.astype('f4')
                f['reconstruction_rss'] = np.zeros((2, 40, 36))
            """,
            _folder
        );
        using ComputeScope scope = new();
        string At(string file) => Path.Combine(_folder, file);
        Tensor x = ArrayFile.Read(At("picture.txt")).Values.to(ScalarType.Float32);
        foreach (
            (string file, Fourier spec) in ((string, Fourier)[])
                [
                    ("a.npy", new() { Mask = At("mask.npy") }),
                    ("a.npy", new()),
                    ("b.npz", new() { Mask = At("b.npz") }),
                    ("c.npy", new()),
                    ("d.npy", new()),
                    (
                        "e.h5",
                        new()
                        {
                            Mask = At("e.h5"),
                            Maps = At("maps.npy"),
                            Page = 1,
                        }
                    ),
                ]
        )
        {
            using Measurement measurement = Measurement.Open(At(file), new MeasurementOptions { Operator = spec });
            Measured(measurement.Own!, spec, x, 1e-4);
        }
    }

    /// <summary>A blob in the middle that is neither round nor mirrored.</summary>
    private static Tensor Scene(int height, int width)
    {
        Tensor rows = torch.arange(height, dtype: ScalarType.Float32).unsqueeze(1) - 0.45f * height,
            columns = torch.arange(width, dtype: ScalarType.Float32) - 0.56f * width;
        return (-(rows.square() + columns.square() / 2) / (0.02f * height * width)).exp() * (0.8f + 0.2f * (rows / 2 + columns / 3).cos());
    }

    // [coils,H,W] complex: each sees one side best.
    private static Tensor Maps(int coils, int height, int width)
    {
        Tensor rows = torch.linspace(-0.5, 0.5, height).unsqueeze(1),
            columns = torch.linspace(-0.5, 0.5, width);
        return torch.stack([
            .. Enumerable
                .Range(0, coils)
                .Select(c =>
                {
                    (double sin, double cos) = Math.SinCos(2 * Math.PI * c / coils);
                    return torch.polar((-((rows - 0.6 * sin).square() + (columns - 0.6 * cos).square())).exp(), c + columns * cos + rows);
                }),
        ]);
    }

    private static FFTNormType Type(FourierNorm norm) =>
        norm switch
        {
            FourierNorm.Backward => FFTNormType.Backward,
            FourierNorm.Forward => FFTNormType.Forward,
            _ => FFTNormType.Ortho,
        };

    private static NumericArray Array(Tensor f) => new(f, SampleType.Complex64);

    private static void Check(Fourier spec, Tensor f, Tensor x, bool ofSpec = false)
    {
        using OwnMeasurement own = spec.Own(Array(f), new("kspace"));
        Measured(own, spec, x, 1e-4, ofSpec);
    }

    private static void Measured(OwnMeasurement own, Fourier spec, Tensor x, double tolerance, bool ofSpec = false)
    {
        Assert.Equal(new ImageShape(1, (int)x.shape[0], (int)x.shape[1]), own.Picture);
        using LinearOperator a = ofSpec ? spec.Bind(own.Picture) : own.Bind!(new Device("cpu"));
        Tensor y = a.Apply(x.reshape(1, 1, x.shape[0], x.shape[1]));
        Assert.Equal(y.shape, own.Y.shape);
        Assert.True((y - own.Y).abs().max().item<float>() < tolerance, $"{spec}: {(y - own.Y).abs().max().item<float>()}");
    }

    // As NumPy's .npy of complex64.
    private string WriteMaps(Tensor maps)
    {
        string shape = string.Join(", ", maps.shape),
            header = $"{{'descr': '<c8', 'fortran_order': False, 'shape': ({shape}), }}".PadRight(117) + "\n",
            path = Path.Combine(_folder, $"maps{maps.shape[0]}.npy");
        using BinaryWriter writer = new(File.Create(path));
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(header));
        foreach (float part in torch.view_as_real(maps).contiguous().data<float>())
            writer.Write(part);
        return path;
    }
}
