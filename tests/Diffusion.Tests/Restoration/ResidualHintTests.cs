using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Restoration;

/// <summary>
/// With the right operator and noise nobody is told that a measurement is not explained; with others where the measurement can tell.
/// </summary>
public sealed class ResidualHintTests : IClassFixture<ResidualHintTests.Files>
{
    private const int Side = 64;

    // A matrix has as many columns as its picture has values.
    private const int SmallSide = 24;

    private readonly Files _files;

    public ResidualHintTests(Files files) => _files = files;

    public static TheoryData<string> Specs =>
        [
            "identity",
            "blur:sigma=2",
            "blur:sigma=2,boundary=circular",
            "blur:sigma=2,boundary=replicate",
            "blur:kernel=disk,radius=3",
            "blur:kernel=motion,length=9,angle=20",
            "blur:sigma=1.5|downsample:factor=2,kernel=decimate",
            "blur:sigma=1.5,boundary=circular|downsample:factor=2,kernel=decimate",
            "blur:sigma=1.5,boundary=circular|downsample:factor=4,kernel=decimate",
            "blur:sigma=1|mask:random=0.5",
            "blur:sigma=1|bayer",
            "downsample:factor=2",
            "downsample:factor=4",
            "downsample:factor=2,kernel=box",
            "downsample:factor=2,kernel=decimate",
            "mask:random=0.5",
            "mask:random=0.9",
            "mask:box=20x20",
            "mask:random=0.5|downsample:factor=2",
            "gray",
            "gray:weights=bt601",
            "gray|downsample:factor=2",
            "bayer",
            "bayer:pattern=xtrans",
            "hadamard:ratio=0.25",
            "hadamard:ratio=0.5",
            "hadamard:ratio=0.1,order=sequency",
            "fourier:acceleration=4",
            "fourier:acceleration=8,lines=radial",
            "gray|fourier",
            "radon:angles=60",
            "radon:angles=30",
            "radon:angles=16",
            "radon:angles=4",
            "radon:angles=16,theta=0..90",
            "gray|radon:angles=16",
            "crop",
            "pad:left=4,right=4",
            "psf:file=PSFS",
            "matrix:file=MATRIX",
        ];

    [Theory, MemberData(nameof(Specs))]
    public void The_right_operator_and_noise_give_no_hint(string spec)
    {
        OperatorSpec a = ShippedOperators.Catalog.Parse(_files.In(spec));
        foreach ((string name, double sigma) in ((string, double)[])[("coffee", 0.005), ("cat", 0.02), ("coffee", 0.08)])
        {
            using Picture photo = Crop(name, spec.StartsWith("matrix", StringComparison.Ordinal) ? SmallSide : Side);
            using DegradedPicture degraded = new Degrader(a, sigma).Degrade(photo);
            Measurement y = degraded.Measurement;
            Check(y, sigma);
            if (name == "cat" || y.Shape is null || y.Y.max().item<float>() > 1 + 8 * sigma)
                continue;
            // As it comes back from a file of 8 bits, which a sinogram, whose values go beyond white, does not.
            using Measurement stored = new((y.Y.clamp(0, 1) * 255).round() / 255, name) { Side = y.Side };
            Check(stored, sigma);
        }

        void Check(Measurement y, double sigma)
        {
            using RestoredPicture restored = _files.Restorer.Restore(y);
            Assert.True(restored.Hint is null, $"{sigma}: {restored.Hint}");
            Assert.NotNull(restored.WhitenedResidual);
        }
    }

    [Theory]
    [InlineData("identity", "blur:sigma=2", 0.01)]
    [InlineData("blur:sigma=1", "blur:sigma=3", 0.01)]
    [InlineData("blur:sigma=2", "blur:sigma=2,boundary=zero", 0.005)]
    [InlineData("radon:angles=60", "radon:angles=60,theta=0..150", 0.01)]
    [InlineData("radon:angles=16", "radon:angles=16,theta=0..150", 0.01)]
    [InlineData("radon:angles=16", "radon:angles=16,center=48", 0.01)]
    public void Another_operator_gives_one_where_it_cannot_explain_the_measurement(string made, string given, double sigma) =>
        Assert.Contains("does not explain", HintOf(made, sigma, given, sigma));

    [Theory]
    [InlineData("blur:sigma=2", 0.005)]
    [InlineData("blur:sigma=2", 0.08)]
    [InlineData("blur:kernel=motion,length=9,angle=20", 0.02)]
    [InlineData("blur:sigma=1.5,boundary=circular|downsample:factor=2,kernel=decimate", 0.08)]
    [InlineData("radon:angles=60", 0.01)]
    [InlineData("radon:angles=16", 0.02)]
    [InlineData("radon:angles=16", 0.08)]
    [InlineData("fourier:acceleration=4", 0.08)]
    public void Half_the_noise_gives_one(string spec, double sigma)
    {
        string hint = Assert.IsType<string>(HintOf(spec, 2 * sigma, spec, sigma));
        Assert.Matches("may be (1.[5-9]|2)", hint);
    }

    private string? HintOf(string made, double noise, string given, double told)
    {
        using Picture photo = Crop("coffee", Side);
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse(_files.In(made)), noise).Degrade(photo);
        Measurement y = degraded.Measurement;
        using Measurement wrong = new(y.Y.clone(), "wrong")
        {
            Side = y.Side! with { Operator = ShippedOperators.Catalog.Parse(_files.In(given)).ToString(), Noise = told },
        };
        using RestoredPicture restored = _files.Restorer.Restore(wrong);
        return restored.Hint;
    }

    private static Picture Crop(string name, int side)
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", name + ".png"));
        (long top, long left) = ((photo.Height - side) / 2, (photo.Width - side) / 2);
        return new Picture(photo.Pixels.narrow(2, top, side).narrow(3, left, side).clone()) { Name = name };
    }

    /// <summary>The prior that ships, opened once, and the files of operators that need some.</summary>
    public sealed class Files : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

        public Files()
        {
            string psfs = Path.Combine(_folder, "psfs");
            Directory.CreateDirectory(psfs);
            for (int i = 0; i < 4; i++)
                File.WriteAllText(
                    Path.Combine(psfs, $"psf_{i / 2}_{i % 2}.txt"),
                    i % 2 == 0 ? "0 1 0\n1 4 1\n0 1 0" : "1 2 1\n2 4 2\n1 2 1"
                );
            // Sums of picture values at random, half as many as there are.
            Random random = new(1);
            int columns = 3 * SmallSide * SmallSide;
            File.WriteAllLines(
                Path.Combine(_folder, "matrix.txt"),
                Enumerable
                    .Range(0, columns / 2)
                    .Select(_ => string.Join(' ', Enumerable.Range(0, columns).Select(_ => random.Next(2) == 0 ? "-0.02" : "0.02")))
            );
        }

        public Restorer Restorer { get; } = new(new RestoreOptions());

        /// <summary>A spec with the files' paths.</summary>
        public string In(string spec) =>
            spec.Replace("PSFS", Path.Combine(_folder, "psfs")).Replace("MATRIX", Path.Combine(_folder, "matrix.txt"));

        public void Dispose()
        {
            Restorer.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
