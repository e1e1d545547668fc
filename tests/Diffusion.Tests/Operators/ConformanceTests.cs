using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Numerics;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

/// <summary>
/// What <c>operators check</c> tells a user of his own operator, held against every operator that ships and every boundary of it.
/// </summary>
public sealed class ConformanceTests : IDisposable
{
    private static readonly string[] Specs =
    [
        "identity",
        "downsample:factor=2",
        "downsample:factor=3",
        "downsample:factor=4,kernel=bilinear",
        "downsample:factor=2,kernel=lanczos",
        "downsample:factor=3,kernel=box",
        "downsample:factor=4,kernel=decimate",
        "downsample:factor=3,kernel=decimate,phase=0",
        "downsample:factor=2,boundary=circular",
        "downsample:factor=3,boundary=circular",
        "downsample:factor=2,boundary=reflect",
        "downsample:factor=3,boundary=replicate",
        "downsample:factor=2,boundary=zero",
        "downsample:factor=1",
        "blur",
        "blur:sigma=1,boundary=circular",
        "blur:sigma=1,boundary=reflect",
        "blur:sigma=1,boundary=replicate",
        "blur:sigma=1,boundary=zero",
        "blur:sigma=1,boundary=valid",
        "blur:kernel=motion,length=7,angle=30",
        "blur:kernel=motion,length=7,angle=30,boundary=circular,orientation=correlate",
        "blur:kernel=motion,seed=3,size=9,boundary=valid",
        "blur:kernel=uniform,size=4",
        "blur:kernel=uniform,size=4,orientation=correlate,boundary=zero",
        "blur:kernel=disk,radius=2.5",
        "blur:sigma=2,sigma_y=0.7,angle=40",
        "blur:sigma=9",
        "mask:random=0.8",
        "mask:random=0.5,per_channel=true",
        "mask:box=center",
        "mask:stripes=3",
        "mask:text=Hello",
        "mask:random=0",
        "mask:random=1",
        "gray",
        "gray:weights=bt601",
        "gray:weights=unit",
        "bayer",
        "bayer:pattern=gbrg",
        "hadamard",
        "hadamard:order=sequency,ratio=0.1",
        "hadamard:order=natural,ratio=0",
        "fourier",
        "fourier:lines=radial,acceleration=3",
        "radon:angles=4",
        "radon:angles=3,detector=20",
        "radon:angles=5,detector=31,theta=10..200,pitch=0.8,center=14.2,direction=counterclockwise",
        "crop",
        "crop:box=8x6+2+3",
        "pad:left=3,right=2,top=1",
        "pad:left=5,bottom=4,boundary=symmetric",
        "pad:left=50,boundary=reflect",
        "matrix:file={matrix}",
        "psf:file={psf}",
        "psf:file={psf},boundary=zero",
        "gray|blur:sigma=1",
        "gray|downsample:factor=2",
        "gray|mask:random=0.5",
        "gray|hadamard",
        "gray|blur:kernel=motion,length=7,angle=30",
        "gray:weights=unit|blur:kernel=motion,length=5,boundary=replicate",
        "gray:weights=unit|downsample:factor=2|mask:random=0.5",
        "gray|blur:kernel=motion,length=7,angle=30|mask:random=0.3",
        "crop:box=8x6|blur:sigma=1",
        "downsample:factor=3,kernel=box|mask:random=0.2",
        "blur:sigma=1|downsample:factor=3,kernel=decimate",
        "blur:sigma=1,boundary=circular|downsample:factor=4,kernel=decimate",
        "blur:sigma=1|downsample:factor=2,kernel=decimate",
        "blur:sigma=1|mask:random=0.3",
        "mask:random=0.3|blur:sigma=1",
        "mask:random=0.5|downsample:factor=2",
        "blur:kernel=motion,length=7,angle=30|mask:random=0.3",
        "identity|gray|identity",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-operators-").FullName;

    public static TheoryData<string, int, int> Cases =>
        [.. Specs.SelectMany(spec => new (string, int, int)[] { (spec, 24, 36), (spec, 36, 12) })];

    [Theory, MemberData(nameof(Cases))]
    public void Every_operator_keeps_its_promises(string spec, int height, int width)
    {
        torch.set_num_threads(1);
        using LinearOperator a = ShippedOperators.Catalog.Parse(WithFiles(spec, 3 * height * width)).Bind(new ImageShape(3, height, width));
        OperatorCheck.Report report = OperatorCheck.Run(a);
        Assert.True(report.Passed, Environment.NewLine + report);
    }

    [Fact]
    public void Every_operator_of_the_catalogue_is_checked()
    {
        HashSet<string> seen = [.. Specs.SelectMany(s => s.Split('|')).Select(s => s.Split(':')[0])];
        Assert.All(ShippedOperators.Catalog.Kinds, kind => Assert.Contains(kind.Name, seen));
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Operators_work_at_odd_sizes_with_one_channel(string spec, int height, int width)
    {
        torch.set_num_threads(1);
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(1, height, width));
        OperatorCheck.Report report = OperatorCheck.Run(a, seed: 1);
        Assert.True(report.Passed, Environment.NewLine + report);
    }

    public static TheoryData<string, int, int> Sizes =>
        [
            ("identity", 1, 1),
            ("blur", 7, 11),
            ("blur:boundary=circular", 5, 3),
            ("blur:boundary=reflect", 9, 1),
            ("downsample:factor=3", 9, 15),
            ("downsample:factor=5,boundary=circular", 5, 15),
            ("mask:random=0.4", 7, 5),
            ("hadamard:ratio=0.5", 15, 6),
            ("fourier:acceleration=2", 7, 9),
            ("fourier:lines=radial,acceleration=2", 6, 1),
            ("radon:angles=3", 9, 7),
            ("crop", 3, 1),
            ("gray", 5, 7),
        ];

    [Fact]
    public void Repeated_work_leaks_no_tensor()
    {
        foreach (string spec in Specs)
        {
            long Live()
            {
                using LinearOperator a = ShippedOperators.Catalog.Parse(WithFiles(spec, 3 * 12 * 12)).Bind(new ImageShape(3, 12, 12));
                using (
                    Tensor x = torch.ones(1, 3, 12, 12),
                        y = a.Apply(x),
                        back = a.Adjoint(y),
                        p = a.PseudoInverse(y, 0.1),
                        s = a.SolveNormal(x, 0.1),
                        g = a.Guess(y)
                ) { }
                Assert.True(a.NormSquared + (a.Spectrum?.Largest ?? 0) >= 0);
                return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            }
            using var _ = torch.no_grad();
            long first = Live();
            Assert.True(Live() == first, $"{spec} leaks {Live() - first} tensors.");
        }
    }

    [Fact]
    public void An_area_is_measured_as_in_the_whole_picture()
    {
        using ComputeScope scope = new();
        ImageShape picture = new(3, 120, 96);
        Tensor x = new PhiloxNoise(1, [default]).Draw(NoiseRole.Step, 1, 3, 120, 96);
        int seen = 0;
        foreach (string spec in Specs)
        {
            OperatorSpec parsed = ShippedOperators.Catalog.Parse(WithFiles(spec, (int)picture.Count));
            if (spec.StartsWith("crop:", StringComparison.Ordinal) || parsed.ByArea(picture, new Device("cpu")) is not { } areas)
                continue;
            using AreaOperators _ = areas;
            seen++;
            int Up(int pixels) => (pixels + areas.Period - 1) / areas.Period * areas.Period;
            PictureArea area = new(Up(17), Up(8), 120 - Up(17), 96 - Up(8)),
                part = area.Reduced(areas.Reduction);
            using LinearOperator whole = parsed.Bind(picture),
                piece = areas.Bind(area);
            Tensor expected = whole.Apply(x).narrow(2, part.Top, part.Height).narrow(3, part.Left, part.Width),
                actual = piece.Apply(x.narrow(2, area.Top, area.Height).narrow(3, area.Left, area.Width).contiguous());
            int reach = (areas.Reach + areas.Reduction - 1) / areas.Reduction;
            Tensor difference = (expected - actual).slice(2, reach, part.Height, 1).slice(3, reach, part.Width, 1).abs();
            Assert.True(difference.numel() == 0 || difference.max().item<float>() < 1e-4, $"{spec}: {difference.max().item<float>()}");
        }
        Assert.True(seen > 35, $"Only {seen} operators can be cut up.");
    }

    [Fact]
    public void A_wrong_adjoint_is_found()
    {
        using Lopsided a = new();
        OperatorCheck.Report report = OperatorCheck.Run(a);
        Assert.Contains(report.Items, i => !i.Passed && i.Name.StartsWith("adjoint", StringComparison.Ordinal));
        Assert.False(report.Passed);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string WithFiles(string spec, int values)
    {
        NativeLibraries.LoadTorch();
        if (spec.Contains("{matrix}", StringComparison.Ordinal))
            spec = spec.Replace("{matrix}", WriteMatrix(values), StringComparison.Ordinal);
        if (!spec.Contains("{psf}", StringComparison.Ordinal))
            return spec;
        for (int i = 0; i < 6; i++)
        {
            // Lopsided kernels of two sizes: a wrong centre or turn would show.
            int n = 3 + i % 2 * 2;
            string[] rows =
            [
                .. Enumerable
                    .Range(0, n)
                    .Select(r =>
                        string.Join(
                            ' ',
                            Enumerable.Range(0, n).Select(c => ((r * 3 + c * c + i) % 7 + 1).ToString(CultureInfo.InvariantCulture))
                        )
                    ),
            ];
            File.WriteAllLines(Path.Combine(_folder, $"psf_{i / 3}_{i % 3}.txt"), rows);
        }
        return spec.Replace("{psf}", _folder, StringComparison.Ordinal);
    }

    private string WriteMatrix(int columns)
    {
        const int Rows = 40;
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({Rows}, {columns}), }}".PadRight(117) + "\n";
        string path = Path.Combine(_folder, "a.npy");
        using BinaryWriter writer = new(File.Create(path));
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(header));
        for (int i = 0; i < Rows * columns; i++)
            writer.Write((float)Math.Sin(i * 12.9898 + i % 7));
        return path;
    }

    private sealed class Lopsided : LinearOperator
    {
        public override ImageShape Input { get; } = new(1, 5, 5);
        public override MeasurementShape Output { get; } = new(new ImageShape(1, 5, 5));

        public override Tensor Apply(Tensor x) => (x + x.roll(1, 3)) / 2;

        public override Tensor Adjoint(Tensor y) => (y + y.roll(1, 3)) / 2;
    }
}
