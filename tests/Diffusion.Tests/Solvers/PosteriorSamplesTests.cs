using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

/// <summary>Where the posterior is known, the samples of the preset that claims to draw them are its samples.</summary>
public sealed class PosteriorSamplesTests
{
    private const int Pictures = 8,
        Samples = 50;

    // A white prior, for which PiGDM is exact in the limit of many steps, and a smooth one, for which it is near.
    [Theory]
    [
        InlineData("mask", true),
        InlineData("blur", true),
        InlineData("mean", true),
        InlineData("mask", false),
        InlineData("blur", false),
        InlineData("mean", false)
    ]
    public void Mean_spread_and_coverage_are_those_of_the_exact_posterior(string operatorName, bool white)
    {
        using ComputeScope scope = new();
        ImageShape shape = new(1, 12, 10);
        using GaussianProblem problem = new(
            operatorName,
            Pictures,
            shape.Height,
            shape.Width,
            sigma: 0.3,
            prior: white ? new GaussianPrior(shape, std: 1, smoothness: 1e4) : null
        );
        Tensor x = Sample(problem, "posterior").reshape(Samples, Pictures, 1, shape.Height, shape.Width);
        using SampleSpread spread = new()
        {
            Count = Samples,
            Mean = x.mean([0L]),
            Deviation = x.std(0, unbiased: true),
        };
        SpreadReport report = spread.Against(problem.Truth);
        double sampling = problem.Std / Math.Sqrt(Samples),
            mean = GaussianProblem.Rms(spread.Mean, problem.Mean);
        Assert.True(
            mean < (white ? 1.15 * sampling : 0.3 * problem.Std),
            $"The mean is {mean:F4} from the posterior's; {sampling:F4} come from the number of samples."
        );
        Assert.InRange(report.Spread, 0.93 * problem.Std, 1.05 * problem.Std);
        // 960 pixels, neighbours alike where the prior is smooth.
        Assert.InRange(report.Within68, white ? 0.64 : 0.60, white ? 0.72 : 0.76);
        Assert.InRange(report.Within95, white ? 0.93 : 0.91, 0.98);
    }

    [Fact]
    public void The_few_steps_of_a_restoration_are_no_posterior_and_the_report_shows_it()
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mask", Pictures, sigma: 0.3);
        Tensor x = Sample(problem, "few-step").reshape(Samples, Pictures, 1, 12, 10);
        using SampleSpread spread = new()
        {
            Count = Samples,
            Mean = x.mean([0L]),
            Deviation = x.std(0, unbiased: true),
        };
        Assert.InRange(spread.Against(problem.Truth).Within95, 0, 0.6);
    }

    private static Tensor Sample(GaussianProblem problem, string preset)
    {
        ISolver solver = SolverCatalog.BuiltIn.Create(
            "pigdm",
            preset,
            new PresetRequest(problem.A.Traits, problem.Problem.Noise[0] / 2, problem.Prior.Info, null)
        );
        ImageKey[] keys = [.. Enumerable.Range(0, Samples * Pictures).Select(i => ImageKey.FromName($"sample {i}"))];
        InverseProblem repeated = problem.Problem with { Y = torch.cat([.. Enumerable.Repeat(problem.Problem.Y, Samples)]) };
        return solver.Solve(repeated, problem.Prior, new SolverContext { Noise = new PhiloxNoise(1, keys) });
    }
}
