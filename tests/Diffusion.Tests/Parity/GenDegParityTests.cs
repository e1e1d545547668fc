using System.Text.Json;
using Diffusion.Checkpoints;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;
using Diffusion.Training.GenDeg;

namespace Diffusion.Tests.Parity;

/// <summary>The cases of family <c>gendeg</c>, but for whole samples and the training step, which have tests of their own.</summary>
public sealed class GenDegParityTests
{
    public static TheoryData<string> Cases => [.. ParityCase.All("gendeg").Where(row => !GenDegSamplingParityTests.IsSampling(row.Data))];

    [Theory, MemberData(nameof(Cases))]
    public void The_published_code_is_met(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        KindOf(config)(reference);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static Action<ParityCase> KindOf(ConfigNode config) =>
        config.Has("ddconfig") ? Autoencoder
        : config.Has("schedule") ? Schedule
        : config.Has("num_bins") ? PairStatistics
        : config.Has("decay") ? Average
        : config.Has("deg_type") ? Intensities
        : throw new Xunit.Sdk.XunitException("This test does not know the case.");

    private static void Autoencoder(ParityCase reference)
    {
        ConfigNode config = reference.Config,
            published = config.Object("ddconfig");
        published.Only("double_z", true);
        published.Only("dropout", 0.0);
        published.Int("resolution");
        Assert.Empty(published.Ints("attn_resolutions"));
        config.Text("downsample");
        config.Only("group_norm_eps", 1e-6);
        int latent = published.Int("z_channels");
        Assert.Equal(latent, config.Int("embed_dim"));
        AutoencoderKLConfig arguments = new()
        {
            InChannels = published.Int("in_channels"),
            OutChannels = published.Int("out_ch"),
            LatentChannels = latent,
            BlockOutChannels = [.. published.Ints("ch_mult").Select(factor => factor * published.Int("ch"))],
            LayersPerBlock = published.Int("num_res_blocks"),
            NormNumGroups = config.Int("group_norm_groups"),
            ScalingFactor = config.Double("scale_factor", 0.18215),
        };
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using AutoencoderKL network = new(arguments, policy);
            StateDictLoader.Load(network.Parameters, new AutoencoderKLFamily().Named(reference.Weights()));
            network.Arrange();
            int levels = arguments.BlockOutChannels.Count;
            ModuleTrace compare = LatentCase.Compare(reference, factor, module => CompVis(module, levels));
            Tensor moments = network.Encode(reference.Input("x"), compare),
                mean = LatentGaussian.Mean(moments),
                logarithm = LatentGaussian.LogVariance(moments);
            reference.AssertOutput("moments", moments, factor);
            reference.AssertOutput("mode", mean, factor);
            reference.AssertOutput("std", LatentGaussian.Deviation(moments), factor);
            reference.AssertOutput("kl", 0.5 * (mean.square() + logarithm.exp() - 1 - logarithm).sum([1L, 2, 3]), factor);
            Tensor sample = LatentGaussian.Sample(moments, Assert.Single(reference.Draws));
            reference.AssertOutput("z_scaled_sample", sample * arguments.ScalingFactor, factor);
            reference.AssertOutput("decoded", network.Decode(reference.Input("z") / arguments.ScalingFactor, compare), factor);
        }
    }

    // diffusers count the decoder's levels from the coarsest.
    private static string CompVis(string module, int levels)
    {
        string name = module
            .Replace("encoder.", "enc.", StringComparison.Ordinal)
            .Replace("decoder.", "dec.", StringComparison.Ordinal)
            .Replace("enc.conv_out", "enc.out", StringComparison.Ordinal)
            .Replace("mid_block.resnets.0", "mid.block_1", StringComparison.Ordinal)
            .Replace("mid_block.resnets.1", "mid.block_2", StringComparison.Ordinal)
            .Replace("mid_block.attentions.0", "mid.attn_1", StringComparison.Ordinal)
            .Replace("down_blocks.", "down.", StringComparison.Ordinal)
            .Replace(".resnets.", ".block.", StringComparison.Ordinal)
            .Replace(".downsamplers.0", ".downsample", StringComparison.Ordinal)
            .Replace(".upsamplers.0", ".upsample", StringComparison.Ordinal);
        for (int level = 0; level < levels; level++)
            name = name.Replace($"up_blocks.{level}", $"up.{levels - 1 - level}", StringComparison.Ordinal);
        return name;
    }

    private static void Schedule(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        config.Only("schedule", "sqrt-linear");
        NoiseSchedule schedule = NoiseSchedule.ScaledLinear(
            config.Double("linear_start"),
            config.Double("linear_end"),
            config.Int("timesteps")
        );
        double v = config.Double("v_posterior", 0),
            eta = config.Double("eta", 1);
        IReadOnlyList<double> abar = schedule.AlphaBar;
        double Before(int t) => t == 0 ? 1 : abar[t - 1];
        void Table(string name, Func<int, double> value) =>
            reference.AssertOutput(name, Numbers(Enumerable.Range(0, schedule.Steps).Select(value)));
        Table("betas", t => schedule.Betas[t]);
        Table("alphas_cumprod", t => abar[t]);
        Table("sqrt_alphas_cumprod", t => Math.Sqrt(abar[t]));
        Table("sqrt_one_minus_alphas_cumprod", t => Math.Sqrt(1 - abar[t]));
        double Variance(int t) => (1 - v) * Posterior.Between(abar[t], Before(t)).Variance + v * schedule.Betas[t];
        Table("posterior_variance", Variance);
        Table("posterior_log_variance_clipped", t => Math.Log(Math.Max(Variance(t), 1e-20)));
        Table("posterior_mean_coef1", t => Posterior.Between(abar[t], Before(t)).X0);
        Table("posterior_mean_coef2", t => Posterior.Between(abar[t], Before(t)).Xt);
        double Weight(int t) => Math.Pow(schedule.Betas[t], 2) / (2 * Variance(t) * (1 - schedule.Betas[t]) * (1 - abar[t]));
        Table("lvlb_weights", t => Weight(Math.Max(t, 1)));
        Table("sigmas_table", schedule.Sigma);
        foreach (int steps in config.Ints("steps"))
        {
            double[] sigmas = SamplingTimes.Ladder(schedule, steps);
            (double Down, double Up)[] ancestral =
            [
                .. Enumerable.Range(0, steps).Select(i => StepRules.Ancestral(sigmas[i], sigmas[i + 1], eta)),
            ];
            reference.AssertOutput($"sigmas.{steps}", Numbers(sigmas));
            reference.AssertOutput($"sigma_down.{steps}", Numbers(ancestral.Select(step => step.Down)));
            reference.AssertOutput($"sigma_up.{steps}", Numbers(ancestral.Select(step => step.Up)));
            reference.AssertOutput($"t.{steps}", Numbers(sigmas.Take(steps).Select(sigma => schedule.TimeOf(sigma))));
        }
        double[] queried = Values(reference.Input("sigma_query"));
        reference.AssertOutput("t_of_query", Numbers(queried.Select(sigma => schedule.TimeOf(sigma))));
        reference.AssertOutput(
            "t_of_query_quantized",
            torch.tensor(queried.Select(sigma => (long)schedule.TimeOf(sigma, TimeMode.NearestLogarithm)).ToArray())
        );
        reference.AssertOutput("sigma_of_t", Numbers(Values(reference.Input("t_query")).Select(t => schedule.SigmaAt(t))));
    }

    private static void PairStatistics(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        config.Text("resample", "binning");
        int side = config.Int("res");
        double[] muRange = config.Doubles("mu_range"),
            sigmaRange = config.Doubles("sigma_range");
        IntensityBins mu = new(muRange[0], muRange[1], config.Int("num_bins")),
            sigma = new(sigmaRange[0], sigmaRange[1], config.Int("num_bins"));
        reference.AssertOutput("mu_edges", torch.tensor(mu.Edges.ToArray()));
        reference.AssertOutput("sigma_edges", torch.tensor(sigma.Edges.ToArray()));
        double[] values = Values(reference.Input("values"));
        reference.AssertOutput("value_mu_bins", Whole(values.Select(mu.Of)));
        reference.AssertOutput("value_sigma_bins", Whole(values.Select(sigma.Of)));
        for (int i = 0; i < config.Int("pairs"); i++)
        {
            Tensor Resized(string name) =>
                PillowResize.Resize(reference.Input($"{name}.{i}").permute(2, 0, 1), side, side, ResampleKernel.Lanczos);
            Tensor clean = Resized("clean"),
                degraded = Resized("degraded");
            reference.AssertOutput($"resized_clean.{i}", clean.permute(1, 2, 0));
            reference.AssertOutput($"resized_degraded.{i}", degraded.permute(1, 2, 0));
            reference.AssertOutput($"tensor.{i}", 2 * clean.to(ScalarType.Float32) / 255 - 1);
            Intensity measured = Intensity.Between(degraded.to(ScalarType.Float64) / 255, clean.to(ScalarType.Float64) / 255);
            reference.AssertOutput($"mu.{i}", Like(reference, $"mu.{i}", [measured.Mu]));
            reference.AssertOutput($"sigma.{i}", Like(reference, $"sigma.{i}", [measured.Sigma]));
            reference.AssertOutput($"bin.{i}", Whole([mu.Of(measured.Mu), sigma.Of(measured.Sigma)]));
        }
    }

    private static void Average(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        WarmedAverage rule = new(config.Double("decay"), config.Bool("use_num_updates"));
        Tensor average = reference.Input("weight.0").clone();
        for (int update = 1; update <= config.Int("updates"); update++)
        {
            rule.Update(update, average, reference.Input($"weight.{update}"));
            reference.AssertOutput($"ema.{update}", average);
        }
    }

    private static void Intensities(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        config.Text("order");
        config.String("table");
        DegradationKind kind = GenDegSamplingParityTests.KindOf(
            config.OneOf("deg_type", "haze", "low-light", "motion", "rain", "raindrop", "snow")
        );
        IntensityTable table = IntensityTable.Published;
        SortedDictionary<string, DataSetHistogram> sets = table.Degradations[DegradationKinds.NameOf(kind)].Datasets;
        string[] names = config.Strings("datasets");
        Assert.Equal(names, sets.Keys.Order(StringComparer.Ordinal));
        Assert.All(names.Zip(config.Doubles("weights")), pair =>
            Assert.Equal(pair.Second, (sets[pair.First].Weight ?? 1) / names.Length, 1e-15)
        );
        int every = config.Int("random_every"),
            samples = config.Int("samples");
        (List<int> dataset, List<int> uniforms, List<int> muBins, List<int> sigmaBins) = ([], [], [], []);
        (List<double> mu, List<double> sigma) = ([], []);
        for (int i = 0; i < samples; i++)
        {
            bool uniform = i % every == 0;
            RecordedDraws draws = new(reference, i);
            (Intensity drawn, string set) = TableSampling.Draw(table, kind, null, uniform, draws);
            draws.AssertExhausted(uniform);
            dataset.Add(Array.IndexOf(names, set));
            uniforms.Add(uniform ? 1 : 0);
            mu.Add(drawn.Mu);
            sigma.Add(drawn.Sigma);
            muBins.Add(table.BinOf(drawn.Mu, table.MuRange));
            sigmaBins.Add(table.BinOf(drawn.Sigma, table.SigmaRange));
        }
        reference.AssertOutput("dataset", Whole(dataset));
        reference.AssertOutput("uniform", Whole(uniforms));
        reference.AssertOutput("mu", torch.tensor(mu.ToArray()));
        reference.AssertOutput("sigma", torch.tensor(sigma.ToArray()));
        reference.AssertOutput("mu_bin", Whole(muBins));
        reference.AssertOutput("sigma_bin", Whole(sigmaBins));
    }

    /// <summary>The tables that ship hold the published counts.</summary>
    [Fact]
    public void The_published_tables_ship()
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(ParityCase.DataFile("gendeg/mu-sigma.json")));
        foreach (JsonProperty degradation in json.RootElement.GetProperty("degradations").EnumerateObject())
        {
            DegradationHistogram shipped = IntensityTable.Published.Degradations[degradation.Name.Replace(' ', '-')];
            foreach (JsonProperty set in degradation.Value.GetProperty("datasets").EnumerateObject())
            {
                Assert.Equal(Counts(set.Value.GetProperty("mu")), shipped.Datasets[set.Name].Mu);
                Assert.Equal(Counts(set.Value.GetProperty("sigma")), shipped.Datasets[set.Name].Sigma);
            }
            Assert.Equal(degradation.Value.GetProperty("joint").EnumerateArray().Select(Counts), shipped.Joint);
        }

        static int[] Counts(JsonElement counts) => [.. counts.EnumerateArray().Select(count => count.GetInt32())];
    }

    /// <summary>Hands out the recorded draws of one sample in the published order.</summary>
    private sealed class RecordedDraws(ParityCase reference, int sample) : ITableDraws
    {
        private int _uniforms,
            _counts;

        public double Uniform() => reference.Input(new[] { "choice_u", "mu_u", "sigma_u" }[_uniforms++])[sample].item<double>();

        public int Count(int total)
        {
            int count = (int)reference.Input(new[] { "mu_count", "sigma_count" }[_counts++])[sample].item<long>();
            Assert.InRange(count, 1, total);
            return count;
        }

        public void AssertExhausted(bool uniform) => Assert.Equal((3, uniform ? 0 : 2), (_uniforms, _counts));
    }

    private static Tensor Like(ParityCase reference, string output, double[] values) =>
        torch.tensor(values).reshape(reference.Expected(output).shape);

    private static double[] Values(Tensor input) => [.. input.to(ScalarType.Float64).data<double>()];

    private static Tensor Whole(IEnumerable<int> values) => torch.tensor(values.Select(value => (long)value).ToArray());

    private static Tensor Numbers(IEnumerable<double> values) => torch.tensor(values.Select(value => (float)value).ToArray());
}
