using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

/// <summary>What every solver owes measurements whose values are unequally noisy.</summary>
public sealed class UnevenNoiseTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 16, 12);

    private static readonly string[] Operators = ["identity", "mask:random=0.4,seed=1", "downsample:factor=2,kernel=box", "blur:sigma=1"];

    private readonly ComputeScope _scope = new();
    private readonly GaussianPrior _prior = new(Shape);

    public void Dispose()
    {
        _prior.Dispose();
        _scope.Dispose();
    }

    public static TheoryData<string, string> Cases
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (SolverEntry entry in SolverCatalog.BuiltIn.Entries)
            foreach (string spec in Operators)
                // What DDRM needs is lost where the rows are not orthogonal.
                if (entry.Name != "ddrm" || !spec.StartsWith("blur", StringComparison.Ordinal))
                    data.Add(entry.Name, spec);
            return data;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Equal_weights_are_no_weights(string solver, string spec)
    {
        using LinearOperator a = Bind(spec);
        InverseProblem plain = Measure(a, torch.ones(a.Output.Batch(1)), 0.1);
        Tensor expected = Solve(solver, plain with { Unevenness = null }),
            found = Solve(solver, plain);
        double difference = GaussianProblem.Rms(expected, found);
        Assert.True(difference < 2e-3, $"{difference}");
    }

    [Theory, MemberData(nameof(Cases))]
    public void Noise_where_it_is_restores_better_than_its_mean_everywhere(string solver, string spec)
    {
        using LinearOperator a = Bind(spec);
        Tensor uneven = Uneven(a);
        double with = 0,
            without = 0;
        for (ulong seed = 0; seed < 4; seed++)
        {
            InverseProblem problem = Measure(a, uneven, 0.3, seed);
            with += Error(Solve(solver, problem), seed);
            without += Error(Solve(solver, problem with { Unevenness = null }), seed);
        }
        Assert.True(with < 0.95 * without, $"{Math.Sqrt(with / 4):F4} with, {Math.Sqrt(without / 4):F4} without");
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_picture_of_a_batch_is_restored_as_alone(string solver, string spec)
    {
        using LinearOperator a = Bind(spec);
        Tensor uneven = Uneven(a);
        InverseProblem first = Measure(a, uneven, 0.1, 0),
            second = Measure(a, uneven.sqrt(), 0.2, 1);
        InverseProblem both = new(
            torch.cat([first.Y, second.Y]),
            a,
            new GaussianNoise(0.1, 0.2),
            Range: PixelRange.Symmetric,
            Unevenness: torch.cat([uneven, uneven.sqrt()])
        );
        ISolver tested = Create(solver, both);
        ImageKey[] keys = [new(1), new(2)];
        Tensor batch = tested.Solve(both, _prior, new SolverContext { Noise = new PhiloxNoise(0, keys) });
        foreach ((InverseProblem problem, int i) in new[] { (first, 0), (second, 1) })
        {
            Tensor alone = tested.Solve(problem, _prior, new SolverContext { Noise = new PhiloxNoise(0, [keys[i]]) });
            Assert.True(torch.allclose(alone, batch[i..(i + 1)], rtol: 1e-4, atol: 1e-4), $"picture {i}");
        }
    }

    [Theory]
    [InlineData("rdmd")]
    [InlineData("ddpg")]
    public void Published_gradient_steps_do_not_overshoot_where_values_are_sure(string solver)
    {
        using LinearOperator a = Bind("identity");
        InverseProblem problem = Measure(a, Uneven(a), 0.3);
        double error = Error(Solve(solver, problem, "paper"), 0);
        Assert.True(error < Error(problem.Y, 0), $"{error}");
    }

    [Fact]
    public void Ddrm_says_what_it_needs_where_weights_take_it_away()
    {
        using LinearOperator a = Bind("blur:sigma=1");
        InverseProblem problem = Measure(a, Uneven(a), 0.1);
        Assert.Contains("ddnm", Assert.Throws<ArgumentException>(() => Solve("ddrm", problem)).Message);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("mask:random=0.4,seed=1")]
    [InlineData("gray")]
    [InlineData("gray|mask:random=0.4,seed=1")]
    [InlineData("bayer")]
    [InlineData("downsample:factor=2,kernel=box")]
    [InlineData("downsample:factor=2")]
    [InlineData("blur:sigma=1")]
    [InlineData("blur:sigma=1,boundary=valid")]
    public void A_whitened_operator_is_an_operator(string spec)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 16, 12));
        using LinearOperator white = new WhitenedOperator(a, Uneven(a));
        OperatorCheck.Report report = OperatorCheck.Run(white);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(spec.StartsWith("blur", StringComparison.Ordinal) || spec == "downsample:factor=2", white.Spectrum is null);
        Assert.Equal(white.Spectrum is not null, white.Traits.ClosedForm);
    }

    [Fact]
    public void Noise_of_another_shape_is_refused()
    {
        using LinearOperator a = Bind("identity");
        InverseProblem problem = Measure(a, torch.ones(1, 1, 16, 12), 0.1) with { Unevenness = torch.ones(1, 1, 12, 16) };
        Assert.Contains("[1,1,12,16]", Assert.Throws<ArgumentException>(() => Solve("dpir", problem)).Message);
    }

    private static LinearOperator Bind(string spec) => ShippedOperators.Catalog.Parse(spec).Bind(Shape);

    // From a tenth to three times the mean.
    private static Tensor Uneven(LinearOperator a)
    {
        Tensor stripes = (torch.arange(a.Output.Count) * 5 % 7).lt(3).reshape(a.Output.Batch(1));
        return torch.where(stripes, 0.1f, 1.7f);
    }

    private Tensor Truth(ulong seed) =>
        _prior.Mean + _prior.Covariance(new PhiloxNoise(seed, [new(7)]).Draw(NoiseRole.Start, Shape.Batch(1)), 0.5);

    private double Error(Tensor x, ulong seed) => Math.Pow(GaussianProblem.Rms(x, Truth(seed)), 2);

    private InverseProblem Measure(LinearOperator a, Tensor uneven, double sigma, ulong seed = 0)
    {
        Tensor noise = new PhiloxNoise(seed, [new(9)]).Draw(NoiseRole.Measurement, a.Output.Batch(1));
        return new(a.Restrict(a.Apply(Truth(seed)) + sigma * uneven * noise), a, sigma, Range: PixelRange.Symmetric, Unevenness: uneven);
    }

    private ISolver Create(string solver, InverseProblem problem, string? preset = null) =>
        SolverCatalog.BuiltIn.Create(solver, preset, PresetRequest.For(problem.A, problem.Noise[0] / 2, _prior.Info, 16));

    private Tensor Solve(string solver, InverseProblem problem, string? preset = null) =>
        Create(solver, problem, preset).Solve(problem, _prior, new SolverContext { Noise = new PhiloxNoise(0, [new(1)]) });
}
