using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Inverse;

public sealed class NoiseEstimateTests
{
    [Theory]
    [InlineData("identity", 0.02, 0.25)]
    [InlineData("identity", 0.1, 0.1)]
    [InlineData("blur", 0.02, 0.1)]
    [InlineData("blur:kernel=motion,length=9,angle=20,boundary=valid", 0.05, 0.1)]
    [InlineData("downsample:factor=2", 0.05, 0.15)]
    [InlineData("mask:box=40x40+20+20", 0.05, 0.1)]
    [InlineData("mask:random=0.5", 0.1, 0.2)]
    [InlineData("gray", 0.05, 0.1)]
    [InlineData("bayer", 0.05, 0.1)]
    [InlineData("bayer:pattern=xtrans", 0.05, 0.15)]
    [InlineData("blur:sigma=1|bayer:pattern=gbrg", 0.02, 0.1)]
    public void Noise_is_found_within_its_tolerance(string spec, double sigma, double tolerance)
    {
        using ComputeScope scope = new();
        Tensor x = Scene();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, (int)x.shape[2], (int)x.shape[3]));
        NoiseEstimate? estimate = NoiseEstimate.From(Noisy(a, x, sigma), a);
        Assert.NotNull(estimate);
        Assert.InRange(estimate.Sigma / sigma, 1 - tolerance, 1 + tolerance);
    }

    [Theory]
    [InlineData("hadamard")]
    [InlineData("fourier")]
    [InlineData("radon:angles=3,detector=100")]
    [InlineData("radon:angles=1")]
    [InlineData("mask:random=0.99")]
    public void Where_the_measurement_is_no_picture_a_number_is_asked_for(string spec)
    {
        using ComputeScope scope = new();
        Tensor x = Scene();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, (int)x.shape[2], (int)x.shape[3]));
        Assert.Null(NoiseEstimate.From(Noisy(a, x, 0.05), a));
    }

    [Theory]
    [InlineData("radon:angles=16", 0.02)]
    [InlineData("radon:angles=60", 0.005)]
    [InlineData("gray|radon:angles=16", 0.05)]
    public void Rays_beside_the_picture_tell_the_noise_of_a_sinogram(string spec, double sigma)
    {
        using ComputeScope scope = new();
        Tensor x = Scene();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, (int)x.shape[2], (int)x.shape[3]));
        Assert.InRange(NoiseEstimate.From(Noisy(a, x, sigma), a)!.Sigma / sigma, 0.93, 1.07);
    }

    [Fact]
    public void The_whitened_residual_of_the_truth_is_one_and_of_another_operator_is_not()
    {
        using ComputeScope scope = new();
        Tensor x = Scene();
        ImageShape shape = new(3, (int)x.shape[2], (int)x.shape[3]);
        using LinearOperator a = new Mask { Random = 0.5 }.Bind(shape),
            b = new Blur { Sigma = 2 }.Bind(shape),
            c = new Blur { Sigma = 8 }.Bind(shape);
        Assert.Equal(1, Assert.Single(WhitenedResidual.Of(new InverseProblem(Noisy(a, x, 0.05), a, 0.05), x)).Residual, 0.05);
        Tensor y = Noisy(b, x, 0.01);
        Assert.Equal(1, Assert.Single(WhitenedResidual.Of(new InverseProblem(y, b, 0.01), x)).Residual, 0.05);
        Misfit wrong = Assert.Single(WhitenedResidual.Of(new InverseProblem(y, c, 0.01), x));
        Assert.True(wrong.Residual > 1.5, $"{wrong}");
        Assert.NotNull(WhitenedResidual.Hint(wrong));
        Assert.Null(WhitenedResidual.Hint(wrong with { Unexplained = 1.02 }));
    }

    private static Tensor Noisy(LinearOperator a, Tensor x, double sigma) =>
        a.Restrict(a.Apply(x) + sigma * new PhiloxNoise(5, [default]).Draw(NoiseRole.Measurement, a.Output.Batch(1)));

    // Smooth areas, edges and texture, on [0.1, 0.9].
    private static Tensor Scene()
    {
        Tensor rows = torch.arange(160).to(ScalarType.Float32).unsqueeze(1),
            columns = torch.arange(192).to(ScalarType.Float32);
        Tensor smooth = 0.5 + 0.25 * (rows / 37).sin() * (columns / 51).cos(),
            disk = 0.2 * ((rows - 80).square() + (columns - 60).square()).lt(1500).to(ScalarType.Float32);
        Tensor texture = 0.08 * (rows * 1.1).sin() * (columns * 0.9).sin() * columns.gt(130).to(ScalarType.Float32);
        Tensor plane = smooth + disk - 0.1 + texture;
        return torch.stack([plane, plane * 0.8, 1 - plane]).unsqueeze(0).clamp(0.1, 0.9);
    }
}
