using System.Globalization;
using System.Text.Json;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class SchedulesParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("schedules");

    [Theory, MemberData(nameof(Cases))]
    public void Tables_times_and_levels_are_the_published_ones(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("dtype", "rounding");
        if (config.Has("schedules"))
            GaussianTables(reference);
        if (config.Has("space_timesteps"))
            foreach (ConfigNode request in config.Objects("space_timesteps"))
                Integers(reference, request.String("name"), Spaced(request, "num_timesteps"));
        if (config.Has("spaced"))
            foreach (ConfigNode request in config.Objects("spaced"))
                Respaced(reference, request);
        if (config.Has("sigmas"))
            foreach (ConfigNode ladder in config.Objects("sigmas"))
                Single(
                    reference,
                    ladder.String("name"),
                    KarrasSigmas.Descending(ladder.Int("n"), ladder.Double("sigma_min"), ladder.Double("sigma_max"), ladder.Double("rho"))
                );
        if (config.Has("multistep"))
            foreach (ConfigNode run in config.Objects("multistep"))
                Multistep(reference, run);
        if (config.Has("scalings"))
            Scalings(reference);
        if (config.Has("cm4ir"))
            Cm4ir(reference);
        if (config.Has("betas") && config.Kind("betas") == JsonValueKind.Array)
            foreach (ConfigNode table in config.Objects("betas"))
                Single(
                    reference,
                    table.String("name"),
                    BetaSchedules
                        .Named(table.String("schedule"), table.Double("beta_start"), table.Double("beta_end"), table.Int("steps"))
                        .Published.Betas.Select(b => (double)b)
                );
        if (config.Has("betas") && config.Kind("betas") == JsonValueKind.Object)
            StepSequences(reference);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void GaussianTables(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        if (config.Has("beta_linear"))
            config.Object("beta_linear").Text("start", "end");
        if (config.Has("cosine"))
            config.Object("cosine").Text("s", "max_beta");
        foreach (ConfigNode node in config.Objects("schedules"))
        {
            NoiseSchedule schedule =
                node.String("schedule") == "cosine"
                    ? NoiseSchedule.Cosine(
                        node.Int("steps"),
                        config.Object("cosine").Double("s"),
                        config.Object("cosine").Double("max_beta")
                    )
                    : Schedule(node);
            Tables(
                reference,
                node.String("name"),
                schedule,
                "betas",
                "alphas_cumprod",
                "alphas_cumprod_prev",
                "posterior_variance",
                "posterior_log_variance_clipped",
                "posterior_mean_coef1",
                "posterior_mean_coef2"
            );
        }
    }

    private static void Respaced(ParityCase reference, ConfigNode request)
    {
        int[] times = Spaced(request, "steps");
        string name = request.String("name");
        Integers(reference, $"{name}.timestep_map", times);
        Tables(
            reference,
            name,
            new NoiseSchedule([.. Steps(Schedule(request), times).Select(step => step.Beta)]),
            "betas",
            "alphas_cumprod",
            "posterior_log_variance_clipped",
            "posterior_mean_coef1"
        );
    }

    private static void Multistep(ParityCase reference, ConfigNode run)
    {
        (double Sigma, double Noise)[] levels = KarrasSigmas.Multistep(
            run.Ints("ts"),
            run.Int("steps"),
            run.Double("sigma_min"),
            run.Double("sigma_max"),
            run.Double("rho")
        );
        string name = run.String("name");
        Double(reference, $"{name}.sigma", levels.Select(level => level.Sigma));
        Double(reference, $"{name}.noise_scale", levels.Select(level => level.Noise));
    }

    private static void Scalings(ParityCase reference)
    {
        ConfigNode node = reference.Config.Object("scalings");
        double[] sigma = [.. reference.Input("scaling_sigma").to(ScalarType.Float64).data<double>()];
        foreach (
            (string prefix, KarrasScalings scalings) in new[]
            {
                ("boundary", new KarrasScalings(node.Double("sigma_data"), node.Double("sigma_min"))),
                ("edm", new KarrasScalings(node.Double("sigma_data"), 0)),
            }
        )
        {
            Double(reference, $"{prefix}.c_skip", sigma.Select(scalings.Skip));
            Double(reference, $"{prefix}.c_out", sigma.Select(scalings.Out));
            Double(reference, $"{prefix}.c_in", sigma.Select(scalings.In));
        }
        Double(reference, "rescaled_t", sigma.Select(KarrasScalings.Time));
    }

    /// <summary>The levels that the shipped presets of the recorded lines run through.</summary>
    private static void Cm4ir(ParityCase reference)
    {
        ConfigNode node = reference.Config.Object("cm4ir"),
            betas = node.Object("base_betas");
        node.Text("alpha0", "next");
        betas.Only("schedule", "linear");
        NoiseSchedule schedule = NoiseSchedule.Linear(betas.Double("beta_start"), betas.Double("beta_end"), betas.Int("steps"));
        PresetRequest request = new(new OperatorTraits(), 0, new PriorInfo { Name = "p", Kind = PriorKind.PosteriorMean });
        foreach (ConfigNode preset in node.Objects("presets"))
        {
            string name = preset.String("name"),
                data = preset.OneOf("dataset", "lsun_bedroom", "lsun_cat", "imagenet64").Replace("lsun_", "", StringComparison.Ordinal),
                task = preset.OneOf("task", "sr_bicubic x4", "sr_bicubic x2", "deblur_gauss", "inpainting") switch
                {
                    "deblur_gauss" => "deblur",
                    "inpainting" => "inpaint",
                    var enlarging => "sr" + enlarging[^1],
                };
            string line = string.Create(CultureInfo.InvariantCulture, $"{data}-{task}-{preset.Double("sigma_y")}");
            Cm4irSolver solver = (Cm4irSolver)SolverCatalog.BuiltIn.Create("cm4ir", line, request);
            solver = solver with { Schedule = schedule };
            Assert.Equal(
                (preset.Int("iN"), preset.Double("gamma"), preset.Int("T_sampling")),
                (solver.StartIndex, solver.Gamma, solver.Steps)
            );
            Assert.Equal<IEnumerable<double>>(node.Doubles("sigma_clamp"), [solver.MinSigma, solver.MaxSigma]);
            Single(reference, $"{name}.alpha", solver.Alphas.Select(alpha => (double)alpha));
            Single(reference, $"{name}.sigma", solver.Levels);
            Single(reference, $"{name}.rescaled_t", solver.Levels.Select(KarrasScalings.Time));
        }
    }

    private static void StepSequences(ParityCase reference)
    {
        ConfigNode config = reference.Config,
            betas = config.Object("betas");
        betas.Only("dtype", "float32");
        betas.Only("schedule", "linear");
        NoiseSchedule schedule = NoiseSchedule.Linear(betas.Double("start"), betas.Double("end"), betas.Int("steps"));
        PublishedSchedule published = schedule.Published;
        if (reference.Outputs.Contains("reduced_alpha_cumprod"))
            Single(reference, "reduced_alpha_cumprod", published.Sigmas.Select(sigma => (double)sigma));
        foreach (ConfigNode node in Optional(config, "sequences"))
        {
            int steps = node.Int("num_train_timesteps");
            int[] sequence = TimeSequences.Skipping(node.OneOf("skip_type", "quad", "uniform"), node.Int("iter_num"), steps);
            Integers(reference, node.String("name"), sequence);
            Integers(reference, $"{node.String("name")}.t", [.. sequence.Select(index => steps - 1 - index)]);
        }
        foreach (ConfigNode node in Optional(config, "rdmd"))
        {
            string name = node.String("name");
            double noise = node.Double("noise_level_img");
            RdmdSolver solver = new()
            {
                Iterations = node.Int("iter_num"),
                Lambda = node.Double("lambda_"),
                Tau = node.Double("tau"),
                Schedule = schedule,
            };
            RdmdPlan plan = solver.Plan(2 * noise, node.Int("sf"));
            float[] levels = TimeSequences.DenoiserLevels(49, Math.Max(node.Int("sf"), 255 * noise), node.Int("iter_num")),
                weights = published.SplittingWeights(solver.Lambda * solver.Tau, Math.Max(0.001, noise));
            Single(reference, $"{name}.rho", weights.Select(rho => (double)rho));
            Single(reference, $"{name}.pnp_sigma", levels.Select(level => (double)level));
            Integers(reference, $"{name}.t_restore", [.. plan.RestoreTimes]);
            Assert.Equal(plan.Times.Select(t => (double)weights[t]), plan.Iterations.Select(iteration => iteration.Weight));
            if (node.Int("iter_num") == 100)
                Assert.Equal(
                    reference.Expected("seq.0.t").to(ScalarType.Int64).data<long>().Select(t => (int)t).ToArray(),
                    plan.Times.ToArray()
                );
        }
        foreach (ConfigNode node in Optional(config, "ddrm"))
            Integers(reference, node.String("name"), TimeSequences.Strided(node.Int("num_timesteps"), node.Int("timesteps")));
        foreach (ConfigNode node in Optional(config, "ddnm"))
        {
            int[] travel = TimeSequences.TimeTravel(node.Int("T_sampling"), node.Int("travel_length"), node.Int("travel_repeat"));
            Integers(reference, node.String("name"), travel);
        }
    }

    private static IReadOnlyList<ConfigNode> Optional(ConfigNode config, string key) => config.Has(key) ? config.Objects(key) : [];

    private static NoiseSchedule Schedule(ConfigNode node) =>
        node.OneOf("schedule", "cosine", "linear") == "cosine"
            ? NoiseSchedule.Cosine(node.Int("steps"))
            : NoiseSchedule.LinearOf(node.Int("steps"));

    private static int[] Spaced(ConfigNode node, string steps) =>
        node.Kind("section_counts") == JsonValueKind.Array
            ? TimeSequences.Spaced(node.Int(steps), node.Ints("section_counts"))
            : BetaSchedules.Spaced(node.Int(steps), node.String("section_counts"));

    private static void Tables(ParityCase reference, string prefix, NoiseSchedule schedule, params string[] names)
    {
        IEnumerable<int> times = Enumerable.Range(0, schedule.Steps);
        Posterior[] steps = Steps(schedule, [.. times]);
        foreach (string name in names)
            Double(
                reference,
                $"{prefix}.{name}",
                name switch
                {
                    "betas" => schedule.Betas,
                    "alphas_cumprod" => schedule.AlphaBar,
                    "alphas_cumprod_prev" => times.Select(t => t == 0 ? 1 : schedule.AlphaBar[t - 1]),
                    "posterior_variance" => steps.Select(step => step.Variance),
                    "posterior_log_variance_clipped" => times.Select(t => Math.Log(steps[Math.Max(t, 1)].Variance)),
                    "posterior_mean_coef1" => steps.Select(step => step.X0),
                    _ => steps.Select(step => step.Xt),
                }
            );
    }

    /// <summary>The ancestral steps through some times of a schedule, as DPS takes them.</summary>
    private static Posterior[] Steps(NoiseSchedule schedule, IReadOnlyList<int> times) =>
        [.. times.Select((t, i) => Posterior.Between(schedule.AlphaBar[t], i == 0 ? 1 : schedule.AlphaBar[times[i - 1]]))];

    private static void Integers(ParityCase reference, string name, int[] actual) =>
        reference.AssertOutput(name, torch.tensor(actual).to(reference.Expected(name).dtype));

    private static void Double(ParityCase reference, string name, IEnumerable<double> actual) =>
        reference.AssertOutput(name, torch.tensor([.. actual], dtype: ScalarType.Float64));

    private static void Single(ParityCase reference, string name, IEnumerable<double> actual) =>
        reference.AssertOutput(name, torch.tensor([.. actual], dtype: ScalarType.Float32));
}
