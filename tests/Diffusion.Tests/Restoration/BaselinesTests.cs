using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Tests.Solvers;

namespace Diffusion.Tests.Restoration;

public sealed class BaselinesTests
{
    private static readonly ImageShape Shape = new(3, 48, 64);

    private static Tensor Photo()
    {
        using GaussianPrior prior = new(Shape);
        using Tensor white = new PhiloxNoise(4, [default]).Draw(NoiseRole.Start, Shape.Batch(1));
        return (0.5 + 0.5 * prior.Covariance(white, 0.5)).clamp(0, 1);
    }

    private static Tensor Measure(LinearOperator a, Tensor x) =>
        a.Apply(x) + 0.02 * a.Restrict(new PhiloxNoise(5, [default]).Draw(NoiseRole.Measurement, a.Output.Batch(1)));

    [Fact]
    public void With_a_reference_Tikhonov_is_the_best_of_its_sweep_and_without_one_it_is_near()
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:sigma=1.5").Bind(Shape);
        Tensor x = Photo(),
            y = Measure(a, x);
        double best = Psnr.Compute(Baselines.Tikhonov(a, y, 0.02, x).clamp(0, 1), x),
            blind = Psnr.Compute(Baselines.Tikhonov(a, y, 0.02).clamp(0, 1), x);
        foreach (double eta in (double[])[1e-4, 1e-3, 1e-2, 1e-1])
            Assert.True(best >= Psnr.Compute(a.PseudoInverse(y, eta).clamp(0, 1), x) - 0.05, $"eta {eta}");
        Assert.True(blind > best - 1.5, $"{blind:0.00} against {best:0.00}");
        Assert.True(blind > Psnr.Compute(y.clamp(0, 1), x));
    }

    [Theory]
    [InlineData("downsample:factor=2", "bicubic")]
    [InlineData("blur:sigma=1", "Tikhonov")]
    [InlineData("mask:random=0.7", "harmonic fill")]
    [InlineData("hadamard:ratio=0.5", "Tikhonov")]
    [InlineData("bayer", "demosaicing")]
    public void Each_kind_of_operator_has_its_classical_restoration(string spec, string name)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(Shape);
        Tensor x = Photo();
        Baseline baseline = Baselines.Classical(a, Measure(a, x), 0.02, x);
        Assert.Equal(name, baseline.Name);
        Assert.Equal(x.shape, baseline.X.shape);
    }

    [Fact]
    public void Fills_keep_what_is_known()
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse("mask:random=0.7").Bind(Shape);
        Tensor y = a.Apply(Photo());
        foreach (Tensor filled in (Tensor[])[Baselines.HarmonicFill(a, y), Baselines.MedianFill(a, y)])
            Assert.True((a.Apply(filled) - y).abs().max().item<float>() < 1e-6);
    }

    /// <summary>
    /// The iteration keeps the sum of the values where the operator does (every step does, for circular blurs that sum to one), stays
    /// positive, and its best stop beats both the measurement and a run that goes on too long.
    /// </summary>
    [Fact]
    public void Richardson_and_Lucy_keep_the_light_and_sharpen()
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:sigma=1.5,boundary=circular").Bind(Shape);
        Tensor x = Photo(),
            y = Measure(a, x);
        Tensor best = Baselines.RichardsonLucy(a, y, x),
            tooLong = Baselines.RichardsonLucy(a, y, iterations: 600);
        double quality = Psnr.Compute(best.clamp(0, 1), x);
        Assert.True(best.min().item<float>() >= 0);
        Assert.Equal(y.clamp_min(0).mean().item<float>(), tooLong.mean().item<float>(), 1e-4);
        Assert.True(quality > Psnr.Compute(y.clamp(0, 1), x) + 0.3, $"{quality:0.00}");
        Assert.True(quality > Psnr.Compute(tooLong.clamp(0, 1), x) + 0.1, "600 iterations sharpen the noise");
    }
}
