using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

/// <summary>What the guided samplers promise beyond the conformance suite of all solvers.</summary>
public sealed class GuidedSolverTests
{
    public static TheoryData<string> Guided =>
        [.. SolverCatalog.BuiltIn.Entries.Where(entry => entry.Type.IsSubclassOf(typeof(GuidedSolver))).Select(entry => entry.Name)];

    [Theory]
    [InlineData("ddrm", "x0", "x0_hat")]
    [InlineData("ddnm", "x0", "x0_hat")]
    [InlineData("diffpir", "x0_net", "x0")]
    public void Injection_mixes_fresh_noise_with_the_negative_noise_estimate_from_before_guidance(string name, string before, string after)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        NoiseSchedule schedule = problem.Prior.Schedule;
        int t = schedule.Nearest(0.4),
            next = schedule.Nearest(0.1);
        Dictionary<string, Tensor> traced = [];
        GuidedSolver solver = name switch
        {
            "ddrm" => new DdrmSolver { Injection = InjectionKind.Cm4ir, InjectionEta = 0.3 },
            "ddnm" => new DdnmSolver { Injection = InjectionKind.Cm4ir, InjectionEta = 0.3 },
            _ => new DiffPirSolver { Injection = InjectionKind.Cm4ir, InjectionEta = 0.3 },
        };
        RecordingPrior prior = new(problem.Prior);
        PhiloxNoise replay = problem.Noise();
        Tensor n = Second(replay, problem.A.Input.Batch(1));
        (solver with { Times = [t, next], SigmaStart = 1, SigmaEnd = 0.1 }).Solve(
            problem.Problem,
            prior,
            new SolverContext
            {
                Noise = problem.Noise(),
                Trace = (key, value) => traced[key] = value.clone().MoveToOuterDisposeScope().DetachFromDisposeScope(),
            }
        );

        (double a, double b) = (schedule.AlphaBar[t], schedule.AlphaBar[next]);
        Tensor x = prior.Inputs[0],
            z = (Math.Sqrt(a) * traced[$"step0.{before}"] - x) / Math.Sqrt(1 - a);
        Tensor expected = Math.Sqrt(b) * traced[$"step0.{after}"] + Math.Sqrt(1 - b) * (0.3 * n + Math.Sqrt(1 - 0.09) * z);
        Assert.True(torch.allclose(expected, prior.Inputs[1], rtol: 1e-5, atol: 1e-5));
        Assert.False(torch.allclose(traced[$"step0.{before}"], traced[$"step0.{after}"], atol: 1e-3));

        static Tensor Second(NoiseSource noise, long[] shape)
        {
            noise.Draw(NoiseRole.Start, shape).Dispose();
            return noise.Draw(NoiseRole.Step, shape);
        }
    }

    [Theory]
    [InlineData("ddrm")]
    [InlineData("ddnm")]
    [InlineData("diffpir")]
    public void With_injection_the_network_can_be_told_more_noise_than_there_is(string name)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        int t = problem.Prior.Schedule.Nearest(0.4),
            told = problem.Prior.Schedule.Nearest(0.6);
        GuidedSolver solver = name switch
        {
            "ddrm" => new DdrmSolver { Injection = InjectionKind.Cm4ir, InjectionDelta = 0.5 },
            "ddnm" => new DdnmSolver { Injection = InjectionKind.Cm4ir, InjectionDelta = 0.5 },
            _ => new DiffPirSolver { Injection = InjectionKind.Cm4ir, InjectionDelta = 0.5 },
        };
        RecordingPrior prior = new(problem.Prior);
        (solver with { Times = [t] }).Solve(problem.Problem, prior, new SolverContext { Noise = problem.Noise() });
        Assert.InRange(prior.Times[0], told - 1, told + 1);
    }

    [Theory]
    [InlineData("ddrm", "mask:random=0.5")]
    [InlineData("ddrm", "gray")]
    [InlineData("ddrm", "hadamard:ratio=0.25")]
    [InlineData("ddrm", "blur:sigma=1,boundary=circular")]
    [InlineData("ddrm", "downsample:factor=2,kernel=box")]
    [InlineData("ddnm", "mask:random=0.5")]
    [InlineData("ddnm", "gray")]
    [InlineData("ddnm", "hadamard:ratio=0.25")]
    [InlineData("ddnm", "blur:sigma=1,boundary=circular")]
    [InlineData("ddnm", "downsample:factor=4")]
    public void A_noiseless_measurement_of_a_closed_form_operator_is_met_exactly(string solver, string spec)
    {
        using ComputeScope scope = new();
        ImageShape shape = new(3, 16, 24);
        using GaussianPrior prior = new(shape);
        using LinearOperator a = OperatorCatalog.From(typeof(Blur).Assembly).Parse(spec).Bind(shape);
        PhiloxNoise noise = new(1, [default]);
        Tensor y = a.Apply(prior.Mean + prior.Covariance(noise.Draw(NoiseRole.Start, shape.Batch(1)), 0.5));
        ISolver tested = SolverCatalog.BuiltIn.Create(solver, null, new PresetRequest(a.Traits, 0, prior.Info, 6));
        Tensor x = tested.Solve(
            new InverseProblem(y, a, 0, Range: PixelRange.Symmetric),
            prior,
            new SolverContext { Noise = new PhiloxNoise(2, [default]) }
        );
        double residual = ((a.Apply(x) - y).norm() / y.norm()).item<float>();
        Assert.True(residual < 1e-4, $"relative residual {residual}");
    }

    [Theory, MemberData(nameof(Guided))]
    public void A_denoiser_without_a_network_of_its_own_time_gives_the_same(string name)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        ISolver solver = Create(name, problem);
        Tensor network = solver.Solve(problem.Problem, problem.Prior, new SolverContext { Noise = problem.Noise() });
        Tensor denoiser = solver.Solve(problem.Problem, new OnlyDenoiser(problem.Prior), new SolverContext { Noise = problem.Noise() });
        Assert.True(torch.allclose(network, denoiser, rtol: 1e-3, atol: 1e-4));
    }

    [Theory, MemberData(nameof(Guided))]
    public void At_temperature_0_nothing_depends_on_the_seed_and_at_1_the_spread_is_that_of_samples(string name)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mask", batch: 2);
        Tensor Solve(double temperature, ulong seed) =>
            Create(name, problem, ("temperature", temperature.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                .Solve(problem.Problem, problem.Prior, new SolverContext { Noise = problem.Noise(seed) });
        Assert.True(Solve(0, 1).eq(Solve(0, 2)).all().item<bool>());
        double spread = GaussianProblem.Rms(Solve(1, 1), Solve(1, 2));
        Assert.InRange(spread, 0.3 * problem.Std, 2.5 * problem.Std);
    }

    [Fact]
    public void DDRM_refuses_an_operator_without_a_decomposition()
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        using PlainOperator plain = new(problem.A);
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            new DdrmSolver().Solve(problem.Problem with { A = plain }, problem.Prior, new SolverContext { Noise = problem.Noise() })
        );
        Assert.Contains("singular value decomposition", error.Message);
        Assert.Contains("ddnm", error.Message);
        Assert.Throws<ArgumentException>(() =>
            new DdnmSolver { NoiseModel = DdnmNoise.Spectral }.Solve(
                problem.Problem with
                {
                    A = plain,
                },
                problem.Prior,
                new SolverContext { Noise = problem.Noise() }
            )
        );
    }

    [Theory]
    [InlineData(1, 1, 6)]
    [InlineData(2, 2, 10)]
    [InlineData(1, 3, 16)]
    public void Time_travel_costs_the_evaluations_that_it_announces(int length, int repeat, int evaluations)
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("mean", batch: 1);
        DdnmSolver solver = new()
        {
            Steps = 6,
            SigmaStart = 0.5,
            TravelLength = length,
            TravelRepeat = repeat,
        };
        solver.Solve(problem.Problem, problem.Prior, new SolverContext { Noise = problem.Noise() });
        Assert.Equal(evaluations, solver.Evaluations);
        Assert.Equal(evaluations, problem.Prior.Evaluations);
    }

    [Fact]
    public void Paper_presets_follow_the_published_tables()
    {
        PriorInfo prior = new() { Name = "p", Kind = PriorKind.PosteriorMean };
        PresetRequest blur = new(new OperatorTraits { Blur = true }, 0.06, prior),
            half = new(new OperatorTraits { Reduction = 4 }, 0.01, prior),
            mask = new(new OperatorTraits { Mask = true }, 0, prior);
        Assert.Equal(
            (100, 8, 0.5, DdpgStepSize.Falling),
            Paper<DdpgSolver, (int, double, double, DdpgStepSize)>("ddpg", blur, s => (s.Steps, s.Gamma, s.Zeta, s.StepSize))
        );
        Assert.Equal((300, 1), Paper<DdpgSolver, (double, double)>("ddpg", half, s => (s.Gamma, s.EtaTilde)));
        Assert.Equal((100, 7, 0.3), Paper<DiffPirSolver, (int, double, double)>("diffpir", blur, s => (s.Steps, s.Lambda, s.Zeta)));
        Assert.Equal((20, 1, 1), Paper<DiffPirSolver, (int, double, double)>("diffpir", mask, s => (s.Steps, s.Lambda, s.Zeta)));
        Assert.Equal((1000, 0.5), Paper<DpsSolver, (int, double)>("dps", mask, s => (s.Steps, s.Scale)));
        Assert.Equal((20, 0.85, 1), Paper<DdrmSolver, (int, double, double)>("ddrm", half, s => (s.Steps, s.EtaA, s.EtaB)));
        Assert.Equal(12, Paper<DdrmSolver, int>("ddrm", half with { MaxEvaluations = 12 }, s => s.Evaluations));

        static TResult Paper<T, TResult>(string name, PresetRequest request, Func<T, TResult> read) =>
            read((T)SolverCatalog.BuiltIn.Create(name, "paper", request));
    }

    private static ISolver Create(string name, GaussianProblem problem, params (string Key, string Value)[] set) =>
        SolverCatalog.BuiltIn.Create(
            name,
            null,
            new PresetRequest(problem.A.Traits, problem.Problem.Noise[0] / 2, problem.Prior.Info, 8),
            set.ToDictionary(pair => pair.Key, pair => pair.Value)
        );

    /// <summary>Remembers what the network was asked.</summary>
    private sealed class RecordingPrior(GaussianPrior inner) : IDenoiser, IVpNetwork
    {
        public List<Tensor> Inputs { get; } = [];
        public List<int> Times { get; } = [];
        public PriorInfo Info => inner.Info;
        public NoiseSchedule Schedule => inner.Schedule;

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default) => inner.Denoise(x, sigma, condition);

        public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
        {
            Inputs.Add(xt.clone().DetachFromDisposeScope());
            Times.Add(t);
            return inner.Predict(xt, t, condition);
        }

        public void Dispose() => Inputs.ForEach(x => x.Dispose());
    }

    /// <summary>The same prior, known only as a denoiser.</summary>
    private sealed class OnlyDenoiser(GaussianPrior inner) : IDenoiser
    {
        public PriorInfo Info => inner.Info;

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default) => inner.Denoise(x, sigma, condition);

        public void Dispose() { }
    }

    /// <summary>An operator without a decomposition.</summary>
    private sealed class PlainOperator(LinearOperator inner) : LinearOperator
    {
        public override ImageShape Input => inner.Input;
        public override MeasurementShape Output => inner.Output;

        public override Tensor Apply(Tensor x) => inner.Apply(x);
    }
}
