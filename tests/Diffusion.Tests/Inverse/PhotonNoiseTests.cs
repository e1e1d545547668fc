using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Inverse;

/// <summary>Noise that grows with the signal: how it is made, found, and made equal.</summary>
public sealed class PhotonNoiseTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    public void Dispose() => _scope.Dispose();

    private static Tensor Normal(ulong seed, params long[] shape) => new PhiloxNoise(seed, [default]).Draw(NoiseRole.Measurement, shape);

    [Theory]
    [InlineData(0.3)]
    [InlineData(4)]
    [InlineData(60)]
    [InlineData(99)]
    [InlineData(101)]
    [InlineData(5000)]
    public void Counts_are_whole_and_have_the_moments_of_a_Poisson_distribution(double mean)
    {
        const double Gain = 1.0 / 1024;
        Tensor counts = ShotNoise.Count(torch.full([1, 1, 300, 300], (float)(mean * Gain)), Gain, Normal(3, 1, 1, 300, 300)) / Gain;
        Assert.Equal(0, (counts - counts.round()).abs().max().item<float>());
        Tensor error = counts.to(ScalarType.Float64) - mean;
        double scatter = Math.Sqrt(mean / 90000);
        Assert.InRange(error.mean().item<double>(), -4 * scatter, 4 * scatter);
        Assert.Equal(1, error.square().mean().item<double>() / mean, 0.03);
        Assert.Equal(1 / Math.Sqrt(mean), error.pow(3).mean().item<double>() / Math.Pow(mean, 1.5), 0.06 + 0.05 / Math.Sqrt(mean));
    }

    [Theory]
    [InlineData(0.005, 0, 0.02)]
    [InlineData(0.005, 0.01, 0.1)]
    [InlineData(0.02, 0, 0.06)]
    [InlineData(0.02, 0.02, 0.5)]
    [InlineData(0.0001, 0.02, 0.3)]
    public void Stabilised_noise_is_equal_everywhere_and_its_mean_leads_back(double gain, double read, double level)
    {
        NoiseModel noise = new(read, gain);
        VarianceStabilization stabilization = new(noise);
        Tensor clean = torch.full([1, 1, 400, 400], (float)level),
            y = ShotNoise.Count(clean, gain, Normal(1, 1, 1, 400, 400)) + read * Normal(2, 1, 1, 400, 400);
        Tensor z = stabilization.Apply(y);
        double mean = z.mean().item<float>(),
            deviation = (z - mean).square().mean().sqrt().item<float>();
        Assert.Equal(1, deviation / stabilization.Sigma, 0.06);
        double back = stabilization.Invert(torch.tensor(mean)).item<float>();
        double scatter = noise.Deviations(clean).mean().item<float>() / 400;
        Assert.InRange(back - level, -4 * scatter - 0.02 * gain, 4 * scatter + 0.02 * gain);
        Assert.Equal([0f, 1f], stabilization.Apply(torch.tensor([0f, 1f])).data<float>().Select(v => MathF.Round(v, 5)));
    }

    [Theory]
    [InlineData("identity", true)]
    [InlineData("mask:random=0.5", true)]
    [InlineData("bayer", true)]
    [InlineData("crop:box=8x8+2+2", true)]
    [InlineData("gray", false)]
    [InlineData("blur:sigma=1", false)]
    [InlineData("downsample:factor=2", false)]
    public void Only_operators_that_measure_pixels_as_they_are_see_a_stabilised_picture(string spec, bool suits)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 16, 12));
        Assert.Equal(suits, VarianceStabilization.Suits(a));
    }

    [Theory]
    [InlineData("identity", true)]
    [InlineData("blur:sigma=1", true)]
    [InlineData("downsample:factor=2", true)]
    [InlineData("radon:angles=6", true)]
    [InlineData("fourier", false)]
    [InlineData("hadamard", false)]
    public void Only_what_is_not_negative_can_be_counted(string spec, bool counts)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 16, 16));
        Assert.Equal(counts, NoiseModel.MayCount(a));
    }

    [Theory]
    [InlineData("identity", 0.005, 0.01)]
    [InlineData("identity", 0.02, 0.02)]
    [InlineData("identity", 0.001, 0.002)]
    [InlineData("blur:sigma=1", 0.01, 0.01)]
    [InlineData("mask:box=40x40+20+20", 0.01, 0.01)]
    [InlineData("bayer", 0.005, 0.01)]
    [InlineData("bayer:pattern=gbrg", 0.02, 0.02)]
    [InlineData("bayer:pattern=xtrans", 0.01, 0.005)]
    public void Gain_and_read_noise_are_found_in_a_picture(string spec, double gain, double read)
    {
        Tensor x = spec.StartsWith("bayer", StringComparison.Ordinal) ? Scene(320, 384) : Scene();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, (int)x.shape[2], (int)x.shape[3]));
        Tensor y = a.Apply(x);
        long[] shape = y.shape;
        y = a.Restrict(ShotNoise.Count(y, gain, Normal(1, shape)) + read * Normal(2, shape));
        NoiseModel found = PoissonEstimate.From(y, a)!;
        Assert.InRange(found.Gain / gain, 0.8, 1.25);
        // What counts is the noise of dark, middle and bright.
        Tensor levels = torch.tensor([0.1f, 0.4f, 0.8f]);
        Tensor ratio = found.Deviations(levels) / new NoiseModel(read, gain).Deviations(levels);
        Assert.True((ratio - 1).abs().max().item<float>() < 0.12, $"{found}: {string.Join(' ', ratio.data<float>())}");
    }

    [Fact]
    public void Noise_that_does_not_grow_is_found_to_hardly_grow()
    {
        Tensor x = Scene();
        using LinearOperator a = ShippedOperators.Catalog.Parse("identity").Bind(new ImageShape(3, (int)x.shape[2], (int)x.shape[3]));
        NoiseModel found = PoissonEstimate.From(x + 0.03 * Normal(1, x.shape), a)!;
        Tensor ratio = found.Deviations(torch.tensor([0.1f, 0.9f])) / 0.03;
        Assert.True((ratio - 1).abs().max().item<float>() < 0.12, $"{found}");
    }

    [Theory]
    [InlineData("fourier", 160)]
    [InlineData("bayer", 100)]
    [InlineData("identity", 9)]
    public void Where_the_measurement_is_no_picture_or_too_little_of_one_nothing_is_found(string spec, int side)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, side, side));
        Assert.Null(PoissonEstimate.From(torch.rand(a.Output.Batch(1)), a));
    }

    [Theory]
    [InlineData("0.02", 0.02, 0)]
    [InlineData("5/255", 5 / 255.0, 0)]
    [InlineData("poisson:gain=0.005,read=0.01", 0.01, 0.005)]
    [InlineData("poisson:read=1/100,gain=1/200", 0.01, 0.005)]
    [InlineData("poisson:gain=0.005", 0, 0.005)]
    [InlineData("auto", double.NaN, 0)]
    [InlineData("auto-poisson", double.NaN, double.NaN)]
    public void Noise_is_read_and_written_alike(string text, double sigma, double gain)
    {
        NoiseModel noise = NoiseModel.Parse(text)!;
        Assert.Equal(new NoiseModel(sigma, gain), noise);
        Assert.Equal(noise, NoiseModel.Parse(noise.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-0.1")]
    [InlineData("1/0")]
    [InlineData("poisson")]
    [InlineData("poisson:")]
    [InlineData("poisson:gain=0")]
    [InlineData("poisson:read=0.1")]
    [InlineData("poisson:gain=0.1,gain=0.2")]
    [InlineData("poisson:gain=0.1,sigma=0.2")]
    public void What_is_no_noise_is_not_read(string text) => Assert.Null(NoiseModel.Parse(text));

    // Smooth areas, edges and texture, on [0.05, 0.9].
    private static Tensor Scene(int height = 160, int width = 192)
    {
        Tensor rows = torch.arange(height).to(ScalarType.Float32).unsqueeze(1),
            columns = torch.arange(width).to(ScalarType.Float32);
        Tensor smooth = 0.45 + 0.35 * (rows / 37).sin() * (columns / 51).cos(),
            disk = 0.2 * ((rows - 80).square() + (columns - 60).square()).lt(1500).to(ScalarType.Float32);
        Tensor texture = 0.08 * (rows * 1.1).sin() * (columns * 0.9).sin() * columns.gt(0.78 * width).to(ScalarType.Float32);
        Tensor plane = smooth + disk - 0.1 + texture;
        return torch.stack([plane, plane * 0.5, 1 - plane]).unsqueeze(0).clamp(0.05, 0.9);
    }
}
