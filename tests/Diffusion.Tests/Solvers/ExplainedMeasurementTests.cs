using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

/// <summary>The last estimate of the project's solvers, moved to what the measurement allows.</summary>
public sealed class ExplainedMeasurementTests
{
    private const double Noise = 0.01;

    private static readonly ImageShape Shape = new(3, 32, 32);

    [Theory]
    [InlineData("fourier:acceleration=4", "mirror")]
    [InlineData("fourier:acceleration=4", "twin")]
    [InlineData("fourier:acceleration=4", "dpir")]
    [InlineData("bayer", "mirror")]
    [InlineData("blur:sigma=1", "mirror")]
    [InlineData("radon:angles=8", "mirror")]
    [InlineData("downsample:factor=2,kernel=decimate", "dpir")]
    public void An_estimate_that_misses_the_measurement_by_a_priors_error_is_moved_nearer_to_the_truth(string spec, string solver)
    {
        using ComputeScope scope = new();
        Tensor truth = Picture(1);
        // Smooth, so that kernels do not hide it.
        using Biased prior = new(2 * (truth + 0.02) - 1);
        (Tensor restored, InverseProblem problem) = Solve(spec, solver, prior, truth);
        double before = Error(truth + 0.02, truth),
            after = Error(restored, truth);
        Assert.True(after < before, $"{after} {before}");
        Assert.InRange(Assert.Single(WhitenedResidual.Of(problem, restored)).Residual, 0.8, 1.1);
    }

    [Fact]
    public void An_estimate_far_from_everything_that_explains_the_measurement_stays()
    {
        using ComputeScope scope = new();
        Tensor truth = Picture(1),
            other = Picture(2);
        using Biased prior = new(2 * other - 1);
        (Tensor restored, InverseProblem problem) = Solve("blur:sigma=1", "mirror", prior, truth);
        Assert.True(restored.allclose(other, 1e-4, 1e-4));
        Assert.NotNull(WhitenedResidual.Hint(Assert.Single(WhitenedResidual.Of(problem, restored))));
    }

    [Fact]
    public void An_estimate_that_explains_its_measurement_stays()
    {
        using ComputeScope scope = new();
        Tensor truth = Picture(1);
        using Biased prior = new(2 * truth - 1);
        Assert.True(Solve("fourier:acceleration=4", "mirror", prior, truth).Restored.allclose(truth, 1e-5, 1e-5));
    }

    private static (Tensor Restored, InverseProblem Problem) Solve(string spec, string solver, IDenoiser prior, Tensor truth)
    {
        LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(Shape);
        Tensor y = a.Apply(truth) + Noise * a.Restrict(new PhiloxNoise(3, [default]).Draw(NoiseRole.Measurement, a.Output.Batch(1)));
        InverseProblem problem = new(y, a, Noise);
        ISolver created = SolverCatalog.BuiltIn.Create(solver, null, PresetRequest.For(a, Noise, prior.Info, 2), null);
        return (created.Solve(problem, prior, new SolverContext { Noise = new PhiloxNoise(0, [default]) }), problem);
    }

    private static Tensor Picture(ulong seed)
    {
        Tensor x = 0.5 + 0.3 * new PhiloxNoise(seed, [default]).Draw(NoiseRole.Start, Shape.Batch(1));
        return torch.nn.functional.avg_pool2d(x, 5L, stride: 1L, padding: 2L).clamp(0.1, 0.9);
    }

    private static double Error(Tensor x, Tensor truth) => (x - truth).square().mean().sqrt().item<float>();

    /// <summary>Says the same whatever it is asked.</summary>
    private sealed class Biased(Tensor x) : IDenoiser
    {
        public PriorInfo Info { get; } = new() { Name = "biased", Kind = PriorKind.PosteriorMean };

        public Tensor Denoise(Tensor noisy, double sigma, in Condition condition = default) => x.clone();

        public void Dispose() { }
    }
}
