using System.Text.Json;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Synthesis;
using Diffusion.Synthesis.GenDeg;
using Diffusion.Training.GenDeg;

namespace Diffusion.Tests.Parity;

/// <summary>Whole samples of GenDeg, the loss of a training step with its gradients, and its prompts.</summary>
public sealed class GenDegSamplingParityTests
{
    private const string UNetPrefix = "model.diffusion_model.";

    public static TheoryData<string> Cases => [.. ParityCase.All("gendeg").Where(row => IsSampling(row.Data))];

    public static bool IsSampling(string folder) =>
        folder.Length > 0
        && JsonDocument
            .Parse(File.ReadAllText(Path.Combine(folder, "case.json")))
            .RootElement.GetProperty("config")
            .TryGetProperty("unet", out _);

    [Theory, MemberData(nameof(Cases))]
    public void A_sample_and_a_training_step_are_met(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        config.Text("sigma_to_t", "block_batch", "draws");
        config.Only("sampler", "euler_ancestral");
        config.Only("s_noise", 1);
        Assert.Equal(["text+stats and image", "null text+stats, image", "null text+stats, zero image"], config.Strings("branch_order"));
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using StableDiffusionUNet unet = UNet(reference, policy);
            using GenDegContext context = Context(reference, policy);
            Sample(reference, unet, context, factor);
            Train(reference, unet, context, factor);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    [Fact]
    public void Prompts_are_the_published_ones()
    {
        JsonElement json = JsonDocument.Parse(File.ReadAllText(ParityCase.DataFile("gendeg/prompts.json"))).RootElement;
        foreach (JsonProperty suffix in json.GetProperty("suffixes").EnumerateObject())
            Assert.Equal(suffix.Value.GetString(), GenDegPrompt.Suffix(KindOf(suffix.Name)));
        foreach (JsonElement example in json.GetProperty("generation").EnumerateArray())
            Assert.Equal(
                Text(example, "prompt"),
                GenDegPrompt.Replaced(Text(example, "caption"), KindOf(Text(example, "deg_type")), Text(example, "sampled_dataset"))
            );
        foreach (JsonElement example in json.GetProperty("training").EnumerateArray())
            Assert.Equal(Text(example, "prompt"), GenDegPrompt.OfTraining(Text(example, "caption"), Text(example, "dataset")));
        Assert.Throws<ArgumentException>(() => GenDegPrompt.Replaced("a hill, far away", DegradationKind.Haze));
        Assert.Equal("a hill, in hazy conditions", GenDegPrompt.Of("a hill", DegradationKind.Haze));

        static string Text(JsonElement example, string key) => example.GetProperty(key).GetString()!;
    }

    /// <summary>The degradation of a published name.</summary>
    public static DegradationKind KindOf(string published) =>
        published switch
        {
            "motion" => DegradationKind.MotionBlur,
            "low-light" => DegradationKind.LowLight,
            _ => Enum.Parse<DegradationKind>(published, ignoreCase: true),
        };

    private static StableDiffusionUNet UNet(ParityCase reference, ComputePolicy policy)
    {
        ConfigNode unet = reference.Config.Object("unet");
        unet.Only("use_spatial_transformer", true);
        unet.Only("legacy", false);
        unet.Only("transformer_group_norm_eps", 1e-6);
        int[] factors = unet.Ints("attention_resolutions"),
            multipliers = unet.Ints("channel_mult");
        bool[] attends = [.. multipliers.Select((_, level) => factors.Contains(1 << level))];
        StableDiffusionUNetConfig arguments = new()
        {
            InChannels = unet.Int("in_channels"),
            OutChannels = unet.Int("out_channels"),
            BlockOutChannels = [.. multipliers.Select(factor => factor * unet.Int("model_channels"))],
            LayersPerBlock = unet.Int("num_res_blocks"),
            DownBlockTypes = StableDiffusionUNetConfig.DownTypes(attends),
            UpBlockTypes = StableDiffusionUNetConfig.UpTypes(attends.Reverse()),
            CrossAttentionDim = unet.Int("context_dim"),
            Heads = [unet.Int("num_heads")],
            TransformerLayers = unet.Int("transformer_depth"),
            NormNumGroups = unet.Int("group_norm_groups"),
            NormEps = unet.Double("res_group_norm_eps"),
        };
        StableDiffusionUNet network = new(arguments, policy);
        StateDictLoader.Load(network.Parameters, new StableDiffusionUNetFamily().Named(reference.Weights(UNetPrefix)));
        network.Arrange();
        return network;
    }

    private static GenDegContext Context(ParityCase reference, ComputePolicy policy)
    {
        ConfigNode config = reference.Config;
        int bins = config.Int("bins"),
            tokens = config.Int("tokens"),
            text = config.Int("text_dim");
        Assert.Equal(bins, config.Int("null_bin"));
        Assert.Equal([bins + 1, tokens], config.Ints("stats_proj"));
        int[] mixture = config.Ints("cc_projection");
        Assert.Equal(text + 2, mixture[0]);
        GenDegContext layers = new(new GenDegContextConfig(bins, tokens, text, mixture[1]), policy);
        StateDictLoader.Load(layers.Parameters, new CheckpointView(reference.Weights(), "", GenDegFamily.IsOfContext));
        return layers;
    }

    private static void Sample(ParityCase reference, StableDiffusionUNet unet, GenDegContext context, double factor)
    {
        ConfigNode config = reference.Config;
        double[] muRange = config.Doubles("mu_range"),
            sigmaRange = config.Doubles("sigma_range");
        IntensityBins mus = new(muRange[0], muRange[1], config.Int("bins")),
            sigmas = new(sigmaRange[0], sigmaRange[1], config.Int("bins"));
        double[] mu = [.. reference.Input("mu").data<double>()],
            sigma = [.. reference.Input("sigma").data<double>()];
        long[] bins = [.. mu.Zip(sigma, (m, s) => new long[] { mus.Of(m), sigmas.Of(s) }).SelectMany(pair => pair)];
        reference.AssertOutput("bins", torch.tensor(bins).reshape(mu.Length, 2));
        Tensor stats = torch.cat([.. mu.Zip(sigma, (m, s) => torch.stack([mus.OneHot(mus.Of(m)), sigmas.OneHot(sigmas.Of(s))], dim: 1))]),
            nothing = torch.stack([mus.OneHot(mus.Null), sigmas.OneHot(sigmas.Null)], dim: 1);
        reference.AssertOutput("stats", stats);
        reference.Expected("stats_projected");
        Tensor told = context.Forward(reference.Input("text_emb"), stats, (_, numbers) =>
                reference.AssertOutput("stats_projected", numbers, factor)
            ),
            untold = context.Forward(reference.Input("null_text_emb"), nothing).expand(mu.Length, -1, -1);
        reference.AssertOutput("cond.crossattn", told, factor);
        reference.AssertOutput("uncond.crossattn", untold, factor);

        ConfigNode published = config.Object("schedule");
        published.Text("kind");
        NoiseSchedule schedule = NoiseSchedule.ScaledLinear(
            published.Double("linear_start"),
            published.Double("linear_end"),
            published.Int("timesteps")
        );
        GenDegSettings settings = new()
        {
            Steps = config.Int("steps"),
            TextScale = config.Double("text_cfg_scale"),
            ImageScale = config.Double("image_cfg_scale"),
            Eta = config.Double("eta", 1),
        };
        double[] ladder = SamplingTimes.Ladder(schedule, settings.Steps);
        (double Down, double Up)[] ancestral =
        [
            .. Enumerable.Range(0, settings.Steps).Select(i => StepRules.Ancestral(ladder[i], ladder[i + 1], settings.Eta)),
        ];
        reference.AssertOutput("sigmas", Numbers(ladder), factor);
        reference.AssertOutput("sigma_up", Numbers(ancestral.Select(step => step.Up)), factor);
        reference.AssertOutput("sigma_down", Numbers(ancestral.Select(step => step.Down)), factor);
        foreach (string output in reference.Outputs)
            reference.Expected(output);
        foreach (bool together in new[] { true, false })
        {
            ReplayedNoise noise = new([.. reference.Draws.Select((draw, i) => (i == 0 ? NoiseRole.Start : NoiseRole.Step, draw))]);
            GenDegSampler sampler = new(unet, schedule, settings)
            {
                Together = together,
                Trace = together ? (name, values) => Compare(reference, name, values, factor) : null,
            };
            Tensor z = sampler.Sample(reference.Input("cond.concat"), told, untold, noise);
            noise.AssertExhausted();
            reference.AssertOutput("z", z, together ? factor : 10 * factor);
        }
    }

    private static void Compare(ParityCase reference, string traced, Tensor values, double factor)
    {
        string[] step = traced.Split(".block.");
        IEnumerable<string> names =
            step.Length == 1 ? [traced] : Published(reference.Config, step[1]).Select(name => $"{step[0]}.block.{name}");
        foreach (string name in names.Where(reference.Outputs.Contains))
            reference.AssertOutput(
                name,
                step.Length > 1 ? values.narrow(0, 0, 1)
                    : traced.EndsWith(".t", StringComparison.Ordinal) ? values.expand(reference.Expected(name).shape)
                    : values,
                factor
            );
    }

    /// <summary>The names that CompVis' numbering of blocks has for what a module gives.</summary>
    private static IEnumerable<string> Published(ConfigNode config, string module)
    {
        ConfigNode unet = config.Object("unet");
        int levels = unet.Ints("channel_mult").Length,
            blocks = unet.Int("num_res_blocks");
        int[] attends = unet.Ints("attention_resolutions");
        List<(string CompVis, string Diffusers)> names =
        [
            ("time_embed", "time_embedding"),
            ("input_blocks.0", "conv_in"),
            ("middle_block.0", "mid_block.resnets.0"),
            ("middle_block.1", "mid_block.attentions.0"),
            ("middle_block.2", "mid_block.resnets.1"),
            ("middle_block", "mid_block"),
            ("out", "conv_out"),
        ];
        int index = 1;
        for (int level = 0; level < levels; level++)
        {
            for (int i = 0; i < blocks; i++)
                Add($"input_blocks.{index++}", $"down_blocks.{level}", i, attends.Contains(1 << level), whole: null);
            if (level < levels - 1)
                names.Add(($"input_blocks.{index++}", $"down_blocks.{level}"));
        }
        index = 0;
        for (int level = 0; level < levels; level++)
        for (int i = 0; i <= blocks; i++)
            Add(
                $"output_blocks.{index++}",
                $"up_blocks.{level}",
                i,
                attends.Contains(1 << (levels - 1 - level)),
                whole: i == blocks && level < levels - 1 ? $"up_blocks.{level}" : null
            );
        const string Inner = ".transformer_blocks.";
        string outer = module.Split(Inner)[0];
        return names.Where(name => name.Diffusers == outer).Select(name => name.CompVis + module[outer.Length..]);

        void Add(string compVis, string level, int i, bool attention, string? whole)
        {
            names.Add(($"{compVis}.0", $"{level}.resnets.{i}"));
            if (attention)
                names.Add(($"{compVis}.1", $"{level}.attentions.{i}"));
            names.Add((compVis, whole ?? (attention ? $"{level}.attentions.{i}" : $"{level}.resnets.{i}")));
        }
    }

    private static void Train(ParityCase reference, StableDiffusionUNet unet, GenDegContext context, double factor)
    {
        ConfigNode config = reference.Config,
            train = config.Object("train");
        train.Text("loss", "inputs", "learning_rates");
        ConfigNode published = config.Object("schedule");
        NoiseSchedule schedule = NoiseSchedule.ScaledLinear(
            published.Double("linear_start"),
            published.Double("linear_end"),
            published.Int("timesteps")
        );
        GenDegObjective objective = new(schedule, config.Double("scale_factor", 0.18215), train.Double("uncond"));
        GenDegBatch batch = new(
            reference.Input("train.degraded_moments"),
            reference.Input("train.clean_moments"),
            reference.Input("train.text_emb"),
            reference.Input("null_text_emb"),
            reference.Input("train.stats")
        );
        GenDegDraws draws = new(
            reference.Input("train.posterior_noise"),
            reference.Input("train.random"),
            reference.Input("train.t"),
            reference.Input("train.noise")
        );
        foreach (string output in reference.Outputs)
            reference.Expected(output);
        Dictionary<string, string> names = new StableDiffusionUNetFamily()
            .Named(reference.Weights(UNetPrefix))
            .Tensors.ToDictionary(
                pair => pair.Key,
                pair => pair.Value.Name[pair.Value.Name.IndexOf(UNetPrefix, StringComparison.Ordinal)..]
            );
        using IDisposable gradients = torch.enable_grad();
        Parameter[] parameters = [.. unet.Parameters, .. context.Parameters];
        foreach (Parameter parameter in parameters)
            parameter.Value.requires_grad_(true);
        Tensor loss = objective.Loss(unet, context, batch, draws, (name, values) =>
            reference.AssertOutput("train." + name, values, factor)
        );
        reference.AssertOutput("train.loss", loss, factor);
        Tensor[] found = [.. torch.autograd.grad([loss], [.. parameters.Select(parameter => parameter.Value)])];
        Dictionary<string, Tensor> byName = parameters
            .Zip(found)
            .ToDictionary(pair => names.GetValueOrDefault(pair.First.Name, pair.First.Name), pair => pair.Second);
        const string Gradient = "train.grad.";
        foreach (string output in reference.Outputs.Where(output => output.StartsWith(Gradient, StringComparison.Ordinal)))
            reference.AssertOutput(output, byName[output[Gradient.Length..]].reshape(reference.Expected(output).shape), factor);
        reference.AssertOutput(
            "train.grad_norms",
            torch.stack([.. train.Strings("grad_names").Select(name => byName[name].norm())]),
            factor
        );
        foreach (Parameter parameter in parameters)
            parameter.Value.requires_grad_(false);
    }

    private static Tensor Numbers(IEnumerable<double> values) => torch.tensor(values.Select(value => (float)value).ToArray());
}
