using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Restoration;

/// <summary>With the right operator and noise nobody is told that a measurement is not explained.</summary>
public sealed class ResidualHintTests : IClassFixture<ResidualHintTests.Priors>
{
    private const int Side = 64;

    private readonly Priors _priors;

    public ResidualHintTests(Priors priors) => _priors = priors;

    public static TheoryData<string> Specs =>
        [
            "identity",
            "blur:sigma=2",
            "blur:kernel=motion,length=9,angle=20",
            "blur:sigma=1.5,boundary=circular|downsample:factor=2,kernel=decimate",
            "downsample:factor=4",
            "downsample:factor=2,kernel=box",
            "downsample:factor=2,kernel=decimate",
            "mask:random=0.5",
            "mask:box=20x20",
            "gray",
            "bayer",
            "bayer:pattern=xtrans",
            "hadamard:ratio=0.25",
            "hadamard:ratio=0.1,order=sequency",
            "fourier:acceleration=4",
            "fourier:acceleration=8,lines=radial",
            "radon:angles=60",
            "radon:angles=16",
            "crop",
            "pad:left=4,right=4",
            "gray|fourier",
        ];

    [Theory, MemberData(nameof(Specs))]
    public void The_right_operator_and_noise_give_no_hint(string spec)
    {
        OperatorSpec a = ShippedOperators.Catalog.Parse(spec);
        foreach (string name in (string[])["cat", "coffee"])
        foreach (double sigma in (double[])[0.005, 0.08])
        {
            using Picture photo = Crop(name);
            using DegradedPicture degraded = new Degrader(a, sigma).Degrade(photo);
            Measurement y = degraded.Measurement;
            Check(y, sigma);
            if (y.Shape is null || name == "cat")
                continue;
            // As it comes back from a file of 8 bits.
            using Measurement stored = new((y.Y.clamp(0, 1) * 255).round() / 255, name) { Side = y.Side };
            Check(stored, sigma);
        }

        void Check(Measurement y, double sigma)
        {
            using RestoredPicture restored = _priors.Restorer.Restore(y);
            Assert.True(restored.Hint is null, $"{sigma}: {restored.Hint}");
        }
    }

    [Theory]
    [
        InlineData("identity", "blur:sigma=2"),
        InlineData("blur:sigma=1", "blur:sigma=3"),
        InlineData("radon:angles=60", "radon:angles=60,theta=0..150")
    ]
    public void Another_operator_gives_one(string made, string given)
    {
        using Picture photo = Crop("coffee");
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse(made), 0.01).Degrade(photo);
        Measurement y = degraded.Measurement;
        using Measurement wrong = new(y.Y.clone(), "wrong")
        {
            Side = y.Side! with { Operator = ShippedOperators.Catalog.Parse(given).ToString() },
        };
        using RestoredPicture restored = _priors.Restorer.Restore(wrong);
        Assert.Contains("does not explain", restored.Hint);
    }

    private static Picture Crop(string name)
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", name + ".png"));
        (long top, long left) = ((photo.Height - Side) / 2, (photo.Width - Side) / 2);
        return new Picture(photo.Pixels.narrow(2, top, Side).narrow(3, left, Side).clone()) { Name = name };
    }

    /// <summary>The prior that ships, opened once.</summary>
    public sealed class Priors : IDisposable
    {
        public Restorer Restorer { get; } = new(new RestoreOptions());

        public void Dispose() => Restorer.Dispose();
    }
}
