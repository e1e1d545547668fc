using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

/// <summary>Schedules, times and steps of diffusers and k-diffusion.</summary>
public sealed class SchedulersParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("schedulers");

    [Theory, MemberData(nameof(Cases))]
    public void Times_levels_and_steps_are_the_published_ones(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        config.Text("model", "key", "sigma_interpolation", "alphas_cumprod", "batch_order", "guidance", "start");
        if (config.Has("text_cfg_scale"))
            GuidedEulerAncestral(reference);
        else if (config.Has("spacings"))
            Grids(reference);
        else
            Steps(reference);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    [Fact]
    public void An_ancestral_step_with_less_eta_adds_less_noise()
    {
        Assert.Equal((1, 0), StepRules.Ancestral(2, 1, 0));
        (double down, double up) = StepRules.Ancestral(2, 1, 0.5);
        Assert.Equal(0.5 * Math.Sqrt(0.75), up, 1e-12);
        Assert.Equal(1, down * down + up * up, 1e-12);
    }

    private static void Grids(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        NoiseSchedule schedule = Schedule(config);
        reference.AssertOutput("betas", Numbers(schedule.Betas));
        reference.AssertOutput("alphas_cumprod", Numbers(schedule.AlphaBar));
        reference.AssertOutput("alphas_cumprod_compvis", Numbers(schedule.AlphaBar));
        reference.AssertOutput("max_sigma", Numbers([schedule.Sigma(schedule.Steps - 1)]));
        int offset = config.Int("steps_offset");
        foreach (string spacing in config.Strings("spacings"))
        foreach (int count in config.Ints("steps"))
        {
            double[] times = SamplingTimes.Descending(Spacing(spacing), schedule.Steps, count, offset);
            foreach (string name in new[] { "ddim", "ddpm" })
                reference.AssertOutput(
                    $"{name}.{spacing}.{count}.timesteps",
                    torch.tensor(times.Select(t => (long)Math.Round(t)).ToArray())
                );
            double[] sigmas = SamplingTimes.Sigmas(schedule, times, logarithmic: false);
            foreach (string name in new[] { "euler", "euler_a" })
            {
                string key = $"{name}.{spacing}.{count}";
                reference.AssertOutput($"{key}.timesteps", Numbers(times));
                reference.AssertOutput($"{key}.sigmas", Numbers(sigmas));
                double start = spacing == "leading" ? Math.Sqrt(sigmas[0] * sigmas[0] + 1) : sigmas[0];
                reference.AssertOutput($"{key}.init_noise_sigma", Numbers([start]));
            }
        }
    }

    private static void Steps(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        NoiseSchedule schedule = Schedule(config);
        config.Only("clip_sample", false);
        config.Only("set_alpha_to_one", false);
        config.Only("variance_type", "fixed_small");
        string scheduler = config.OneOf(
            "scheduler",
            "DDIMScheduler",
            "DDPMScheduler",
            "EulerDiscreteScheduler",
            "EulerAncestralDiscreteScheduler"
        );
        bool exploding = scheduler.StartsWith("Euler", StringComparison.Ordinal);
        int count = config.Int("num_inference_steps");
        double eta = config.Double("eta", 0);
        Prediction prediction = config.OneOf("prediction_type", "epsilon", "v_prediction") == "epsilon" ? Prediction.Epsilon : Prediction.V;
        double[] times = SamplingTimes.Descending(
            Spacing(config.String("timestep_spacing", "leading")),
            schedule.Steps,
            count,
            config.Int("steps_offset")
        );
        if (!exploding)
            times = [.. times.Select(t => Math.Round(t))];
        double[] sigmas = SamplingTimes.Sigmas(schedule, times, logarithmic: false);
        Queue<Tensor> draws = new(reference.Draws);
        Tensor x = reference.Input("x"),
            mixing = reference.Input("W");
        int[] indices = config.Ints("step_indices");
        foreach (int i in indices)
        {
            double sigma = sigmas[i],
                a = exploding ? 1 / (1 + sigma * sigma) : schedule.AlphaBar[(int)times[i]];
            Tensor xt = exploding ? x * Math.Sqrt(a) : x;
            Tensor output = Mix(mixing, xt).tanh();
            Tensor x0 = Predictions.X0(prediction, xt, output, a);
            if (exploding)
                reference.AssertOutput($"{i}.model_input", xt);
            reference.AssertOutput($"{i}.model_output", output);
            reference.AssertOutput($"{i}.pred_original", x0);
            int before = (int)times[i] - schedule.Steps / count;
            x = scheduler switch
            {
                "DDIMScheduler" => StepRules.Ddim(
                    x0,
                    Predictions.Epsilon(prediction, xt, output, a),
                    a,
                    schedule.AlphaBar[Math.Max(before, 0)],
                    eta,
                    eta > 0 ? draws.Dequeue() : null
                ),
                "DDPMScheduler" => StepRules.Ddpm(
                    x0,
                    x,
                    a,
                    before < 0 ? 1 : schedule.AlphaBar[before],
                    times[i] > 0 ? draws.Dequeue() : null
                ),
                "EulerDiscreteScheduler" => StepRules.Euler(x, x0, sigma, sigmas[i + 1]),
                _ => StepRules.EulerAncestral(x, x0, sigma, sigmas[i + 1], draws.Dequeue()),
            };
            reference.AssertOutput($"{i}.prev_sample", x);
        }
        Assert.Empty(draws);
        double[] taken = [.. indices.Select(i => times[i])];
        reference.AssertOutput("timesteps", exploding ? Numbers(taken) : torch.tensor(taken.Select(t => (long)t).ToArray()));
    }

    private static void GuidedEulerAncestral(ParityCase reference)
    {
        ConfigNode config = reference.Config;
        config.Only("quantize", false);
        config.Only("s_noise", 1);
        NoiseSchedule schedule = NoiseSchedule.ScaledLinear();
        double[] sigmas = SamplingTimes.Ladder(schedule, config.Int("steps"));
        reference.AssertOutput("sigmas", Numbers(sigmas));
        double[] Values(string input) => [.. reference.Input(input).data<float>().Select(value => (double)value)];
        reference.AssertOutput("probe_t", Numbers([.. Values("probe_sigma").Select(sigma => schedule.TimeOf(sigma))]));
        reference.AssertOutput("probe_sigma_of_t", Numbers([.. Values("probe_t_in").Select(t => schedule.SigmaAt(t))]));
        reference.AssertOutput(
            "probe_t_quantized",
            torch.tensor(Values("probe_sigma").Select(sigma => (long)schedule.TimeOf(sigma, TimeMode.NearestLogarithm)).ToArray())
        );
        Queue<Tensor> draws = new(reference.Draws);
        Tensor x = draws.Dequeue() * sigmas[0],
            picture = reference.Input("c_concat");
        for (int i = 0; i < sigmas.Length - 1; i++)
        {
            (double sigma, double next) = (sigmas[i], sigmas[i + 1]);
            double t = schedule.TimeOf(sigma);
            Tensor input = x / Math.Sqrt(sigma * sigma + 1);
            Tensor Estimate(string context, Tensor seen)
            {
                Tensor epsilon =
                    Mix(reference.Input("A"), torch.cat([input, seen], dim: 1))
                    + (reference.Input("b") * Math.Cos(t / 100)).reshape(1, -1, 1, 1);
                Tensor mean = torch.matmul(reference.Input(context).mean([1L]), reference.Input("P").transpose(0, 1));
                return Predictions.X0(
                    Prediction.Epsilon,
                    input,
                    (epsilon + mean.unsqueeze(-1).unsqueeze(-1)).tanh(),
                    1 / (1 + sigma * sigma)
                );
            }
            Tensor denoised = Guidance.Of(
                Estimate("context", picture),
                Estimate("null_context", picture),
                Estimate("null_context", torch.zeros_like(picture)),
                config.Double("text_cfg_scale"),
                config.Double("image_cfg_scale")
            );
            double eta = config.Double("eta");
            (double down, double up) = StepRules.Ancestral(sigma, next, eta);
            reference.AssertOutput($"{i}.x", x);
            reference.AssertOutput($"{i}.t", Numbers([t]));
            reference.AssertOutput($"{i}.model_input", input);
            reference.AssertOutput($"{i}.denoised", denoised);
            reference.AssertOutput($"{i}.sigma_down_up", Numbers([down, up]));
            x = StepRules.EulerAncestral(x, denoised, sigma, next, next > 0 ? draws.Dequeue() : null, eta);
        }
        Assert.Empty(draws);
        reference.AssertOutput("final", x);
    }

    private static NoiseSchedule Schedule(ConfigNode config)
    {
        config.Only("beta_schedule", "scaled_linear");
        return NoiseSchedule.ScaledLinear(config.Double("beta_start"), config.Double("beta_end"), config.Int("num_train_timesteps"));
    }

    private static TimeSpacing Spacing(string name) =>
        name switch
        {
            "leading" => TimeSpacing.Leading,
            "trailing" => TimeSpacing.Trailing,
            "linspace" => TimeSpacing.Whole,
            _ => throw new Xunit.Sdk.XunitException($"The spacing {name} is not known."),
        };

    /// <summary>sum_c M[o,c] x[n,c,h,w].</summary>
    private static Tensor Mix(Tensor m, Tensor x) => torch.einsum("oc,nchw->nohw", m, x);

    private static Tensor Numbers(IEnumerable<double> values) => torch.tensor(values.Select(value => (float)value).ToArray());
}
