using System.Text.Json;
using Diffusion.Models;
using Diffusion.Sampling;

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
                    NoiseSchedule
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
            Schedule(request).Respace(times),
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

    private static void Cm4ir(ParityCase reference)
    {
        ConfigNode node = reference.Config.Object("cm4ir"),
            betas = node.Object("base_betas");
        node.Text("alpha0", "next");
        double[] clamp = node.Doubles("sigma_clamp");
        PublishedSchedule schedule = NoiseSchedule
            .Named(betas.OneOf("schedule", "linear"), betas.Double("beta_start"), betas.Double("beta_end"), betas.Int("steps"))
            .Published;
        foreach (ConfigNode preset in node.Objects("presets"))
        {
            preset.Text("dataset", "task", "sigma_y");
            string name = preset.String("name");
            float[] alphas = TimeSequences.GrowingAlphas(schedule, preset.Int("iN"), preset.Double("gamma"), preset.Int("T_sampling"));
            double[] sigmas = [.. alphas.Select(alpha => (double)Math.Clamp(MathF.Sqrt(1 - alpha), (float)clamp[0], (float)clamp[1]))];
            Single(reference, $"{name}.alpha", alphas.Select(alpha => (double)alpha));
            Single(reference, $"{name}.sigma", sigmas);
            Single(reference, $"{name}.rescaled_t", sigmas.Select(KarrasScalings.Time));
        }
    }

    private static void StepSequences(ParityCase reference)
    {
        ConfigNode config = reference.Config,
            betas = config.Object("betas");
        betas.Only("dtype", "float32");
        NoiseSchedule schedule = NoiseSchedule.Named(
            betas.OneOf("schedule", "linear"),
            betas.Double("start"),
            betas.Double("end"),
            betas.Int("steps")
        );
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
            float[] levels = TimeSequences.DenoiserLevels(49, Math.Max(node.Int("sf"), 255 * noise), node.Int("iter_num"));
            Single(
                reference,
                $"{name}.rho",
                published.SplittingWeights(node.Double("lambda_") * node.Double("tau"), Math.Max(0.001, noise)).Select(rho => (double)rho)
            );
            Single(reference, $"{name}.pnp_sigma", levels.Select(level => (double)level));
            Integers(reference, $"{name}.t_restore", [.. levels.Select(level => published.Nearest(2 * level))]);
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
            : TimeSequences.Spaced(node.Int(steps), node.String("section_counts"));

    private static void Tables(ParityCase reference, string prefix, NoiseSchedule schedule, params string[] names)
    {
        IEnumerable<int> times = Enumerable.Range(0, schedule.Steps);
        foreach (string name in names)
            Double(
                reference,
                $"{prefix}.{name}",
                name switch
                {
                    "betas" => schedule.Betas,
                    "alphas_cumprod" => schedule.AlphaBar,
                    "alphas_cumprod_prev" => times.Select(schedule.AlphaBarBefore),
                    "posterior_variance" => times.Select(schedule.PosteriorVariance),
                    "posterior_log_variance_clipped" => times.Select(schedule.PosteriorLogVariance),
                    "posterior_mean_coef1" => times.Select(t => schedule.PosteriorMean(t).X0),
                    _ => times.Select(t => schedule.PosteriorMean(t).Xt),
                }
            );
    }

    private static void Integers(ParityCase reference, string name, int[] actual) =>
        reference.AssertOutput(name, torch.tensor(actual).to(reference.Expected(name).dtype));

    private static void Double(ParityCase reference, string name, IEnumerable<double> actual) =>
        reference.AssertOutput(name, torch.tensor([.. actual], dtype: ScalarType.Float64));

    private static void Single(ParityCase reference, string name, IEnumerable<double> actual) =>
        reference.AssertOutput(name, torch.tensor([.. actual], dtype: ScalarType.Float32));
}
