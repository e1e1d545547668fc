using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

/// <summary>What every solver in the catalogue must do, on a Gaussian prior for which the right answer is known.</summary>
public sealed class SolverConformanceTests
{
    public static TheoryData<string> Solvers => [.. SolverCatalog.BuiltIn.Entries.Select(entry => entry.Name)];

    public static TheoryData<string, string> SolversAndOperators
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (SolverEntry entry in SolverCatalog.BuiltIn.Entries)
            foreach (string name in TestOperators.Names)
                data.Add(entry.Name, name);
            return data;
        }
    }

    [Theory, MemberData(nameof(SolversAndOperators))]
    public void The_result_is_near_the_exact_posterior_mean(string solver, string operatorName)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new(operatorName, batch: 4);
        Tensor x = Solve(Create(solver, problem, 16), problem);
        // A sample of the posterior lies one posterior standard deviation from its mean, the operator's first guess further than that.
        double distance = GaussianProblem.Rms(x, problem.Mean);
        Assert.True(
            distance < 0.6 * problem.Std,
            $"{solver} on {operatorName}: {distance:F4} from the posterior mean, whose own uncertainty is {problem.Std:F4}."
        );
        Assert.True(
            GaussianProblem.Rms(x, problem.Truth) < GaussianProblem.Rms(problem.A.Guess(problem.Problem.Y), problem.Truth),
            "The first guess was nearer to the truth."
        );
    }

    [Theory, MemberData(nameof(SolversAndOperators))]
    public void A_nearly_noiseless_measurement_is_explained(string solver, string operatorName)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new(operatorName, batch: 2, sigma: 0.01);
        Tensor residual = problem.A.Apply(Solve(Create(solver, problem, 16), problem)) - problem.Problem.Y;
        double rms = Math.Sqrt(residual.square().mean().item<float>()),
            signal = Math.Sqrt(problem.Problem.Y.square().mean().item<float>());
        // DPS makes one gradient step an evaluation: badly conditioned operators take it more of them.
        double allowed = solver == "dps" ? 0.3 : 0.12;
        Assert.True(rms < allowed * signal, $"{solver} on {operatorName}: residual {rms:F4}, measurement {signal:F4}.");
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Noise_of_zero_gives_a_finite_result(string solver)
    {
        using ComputeScope scope = new();
        foreach (string operatorName in TestOperators.Names)
        {
            using GaussianProblem problem = new(operatorName, batch: 1, sigma: 1e-9);
            InverseProblem noiseless = problem.Problem with { Noise = 0 };
            Tensor x = Create(solver, problem).Solve(noiseless, problem.Prior, new SolverContext { Noise = problem.Noise() });
            Assert.True(x.isfinite().all().item<bool>(), operatorName);
        }
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Every_preset_evaluates_the_network_exactly_as_often_as_it_says_and_at_most_as_often_as_asked(string solver)
    {
        using ComputeScope scope = new();
        foreach (string operatorName in TestOperators.Names)
        {
            foreach (
                SolverPreset preset in SolverCatalog
                    .BuiltIn.Find(solver)
                    .Presets.Where(preset => !preset.Name.EndsWith("-deltas", StringComparison.Ordinal))
            )
            {
                foreach (int most in new[] { 4, 5 })
                {
                    using GaussianProblem problem = new(operatorName, batch: 1, height: 8, width: 8);
                    ISolver tested = Create(solver, problem, most, preset.Name);
                    Solve(tested, problem);
                    Assert.Equal(tested.Evaluations, problem.Prior.Evaluations);
                    Assert.InRange(tested.Evaluations, 1, most);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Solvers))]
    public void The_same_seed_gives_the_same_bytes(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("blur");
        Tensor first = Solve(Create(solver, problem), problem, seed: 3),
            again = Solve(Create(solver, problem), problem, seed: 3);
        Assert.True(first.eq(again).all().item<bool>());
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_picture_is_restored_alike_alone_and_in_a_batch(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 3);
        Tensor batch = Solve(Create(solver, problem), problem);
        InverseProblem one = problem.Problem with { Y = problem.Problem.Y[2..3] };
        Tensor alone = Create(solver, problem)
            .Solve(one, problem.Prior, new SolverContext { Noise = new PhiloxNoise(0, [problem.Keys[2]]) });
        Assert.True(torch.allclose(alone, batch[2..3], rtol: 1e-4, atol: 1e-4));
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Pictures_with_noise_of_their_own_are_each_restored_as_alone(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 4);
        InverseProblem mixed = problem.Problem with { Noise = new GaussianNoise(0.02, 0.3, 0.02, 0.1) };
        ISolver tested = Create(solver, problem);
        List<SolverStep> steps = [];
        PhiloxNoise noise = problem.Noise();
        Tensor batch = tested.Solve(mixed, problem.Prior, new SolverContext { Noise = noise, Progress = steps.Add });
        for (int i = 0; i < 4; i++)
        {
            PhiloxNoise own = new(0, [problem.Keys[i]]);
            Tensor alone = tested.Solve(mixed.Select([i]), problem.Prior, new SolverContext { Noise = own });
            double difference = (alone - batch[i..(i + 1)]).abs().max().item<float>();
            Assert.True(difference < 1e-5, $"picture {i}: {difference}");
            Assert.All(Enum.GetValues<NoiseRole>(), role => Assert.True(own.Drawn(role) <= noise.Drawn(role)));
        }
        Assert.Equal(Enumerable.Range(1, steps.Count), steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.Equal(steps.Count, step.Steps));
        Assert.Equal(3 * tested.Evaluations, steps[^1].Evaluations);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Pictures_on_0_to_1_and_on_minus_1_to_1_have_the_same_restoration(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("blur");
        Tensor symmetric = Solve(Create(solver, problem), problem);
        Tensor unit = Create(solver, problem).Solve(problem.Problem.ToUnit(), problem.Prior, new SolverContext { Noise = problem.Noise() });
        Assert.True(torch.allclose((symmetric + 1) / 2, unit, rtol: 1e-4, atol: 1e-4));
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Any_size_is_restored(string solver)
    {
        using ComputeScope scope = new();
        foreach ((int height, int width) in new[] { (2, 2), (4, 16), (14, 6) })
        {
            using GaussianProblem problem = new("mean", batch: 1, height, width);
            Assert.Equal(problem.Truth.shape, Solve(Create(solver, problem), problem).shape);
        }
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Progress_is_told_synchronously_and_cancellation_stops_before_the_next_evaluation(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("blur", batch: 1);
        using CancellationTokenSource source = new();
        List<SolverStep> steps = [];
        SolverContext context = new()
        {
            Noise = problem.Noise(),
            Cancellation = source.Token,
            Progress = step =>
            {
                steps.Add(step);
                if (steps.Count == 2)
                    source.Cancel();
            },
        };
        Assert.Throws<OperationCanceledException>(() => Create(solver, problem).Solve(problem.Problem, problem.Prior, context));
        Assert.Equal([1, 2], steps.Select(step => step.Step));
        Assert.Equal(problem.Prior.Evaluations, steps[^1].Evaluations);
    }

    [Theory, MemberData(nameof(Solvers)), NeedsFinalizers]
    public void Finalizers_run_between_evaluations_and_never_inside_of_one(string solver)
    {
        using ComputeScope scope = new();
        int finalized = 0,
            inside = 0,
            between = 0;
        using GaussianProblem problem = new("blur", batch: 1)
        {
            Prior = new GaussianPrior(new ImageShape(1, 12, 10))
            {
                Spoil = _ =>
                {
                    int before = finalized;
                    FinalizerHoldTests.Leave(() => Interlocked.Increment(ref finalized));
                    GC.Collect();
                    Thread.Sleep(20);
                    inside += finalized - before;
                },
            },
        };
        SolverContext context = new() { Noise = problem.Noise(), Progress = _ => between = finalized };
        Create(solver, problem, 3).Solve(problem.Problem, problem.Prior, context);
        Assert.Equal(0, inside);
        Assert.True(between > 0);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_network_that_returns_NaN_is_named_with_the_step(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("blur", batch: 1)
        {
            Prior = new GaussianPrior(new ImageShape(1, 12, 10)) { Spoil = x => x.mul_(float.NaN) },
        };
        NumericalException error = Assert.Throws<NumericalException>(() => Solve(Create(solver, problem), problem));
        Assert.Contains("network", error.What);
        Assert.Contains("step 1", error.Where);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void Nothing_leaks_and_nothing_borrowed_is_disposed(string solver)
    {
        using GaussianProblem problem = WithoutScope(() => new GaussianProblem("blur", batch: 1));
        long before = 0;
        for (int run = 0; run < 6; run++)
        {
            using (torch.no_grad())
                Solve(Create(solver, problem), problem).Dispose();
            if (run == 0)
                before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.False(problem.Problem.Y.IsInvalid);
    }

    [Theory, MemberData(nameof(Solvers))]
    public void A_measurement_of_another_shape_and_a_negative_noise_are_refused(string solver)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        SolverContext context = new() { Noise = problem.Noise() };
        ISolver tested = Create(solver, problem);
        ArgumentException shape = Assert.Throws<ArgumentException>(() =>
            tested.Solve(problem.Problem with { Y = problem.Truth }, problem.Prior, context)
        );
        Assert.Contains("the operator makes [1,1,6,5]", shape.Message);
        Assert.Throws<ArgumentException>(() => tested.Solve(problem.Problem with { Noise = -1 }, problem.Prior, context));
        ArgumentException many = Assert.Throws<ArgumentException>(() =>
            tested.Solve(problem.Problem with { Noise = new GaussianNoise(0.1, 0.2) }, problem.Prior, context)
        );
        Assert.Contains("noise levels", many.Message);
    }

    private static T WithoutScope<T>(Func<T> make)
    {
        using ComputeScope scope = new();
        return make();
    }

    private static ISolver Create(string name, GaussianProblem problem, int? evaluations = 8, string? preset = null) =>
        SolverCatalog.BuiltIn.Create(
            name,
            preset,
            new PresetRequest(problem.A.Traits, problem.Problem.Noise[0] / 2, problem.Prior.Info, evaluations)
        );

    private static Tensor Solve(ISolver solver, GaussianProblem problem, ulong seed = 0) =>
        solver.Solve(problem.Problem, problem.Prior, new SolverContext { Noise = problem.Noise(seed) });
}
