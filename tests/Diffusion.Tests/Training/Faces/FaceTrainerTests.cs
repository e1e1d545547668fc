using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Networks;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Faces;

public sealed class FaceTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("face-training").FullName;

    private static TrainingSettings Settings { get; } =
        new()
        {
            Workers = 1,
            Parts = 2,
            Batches = [new(32, 3, 1)],
        };

    /// <summary>A loss that needs no eyes.</summary>
    private static FaceLoss Blind { get; } =
        new()
        {
            Perceptual = 0,
            Identity = 0,
            Adversary = 0,
        };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_run_that_was_aborted_ends_with_the_same_weights_bit_for_bit_on_any_number_of_threads()
    {
        using TrainingState whole = State();
        Train(whole, 3, workers: 2);
        string file = Path.Combine(_folder, "state");
        using (TrainingState first = State())
        {
            Train(first, 1);
            first.Save(file);
            Train(first, 1); // lost, as after kill -9
        }
        using TrainingState second = State();
        second.Load(file);
        Train(second, 2);
        Assert.Equal((3L, 9L), (second.Step, second.Crops));
        foreach (TrainedWeights which in Enum.GetValues<TrainedWeights>())
            Assert.Equal(TrainingFixture.Weights(whole, which), TrainingFixture.Weights(second, which));
    }

    [Fact]
    public void It_learns_to_restore()
    {
        using TrainingState state = State(critic: false);
        FaceDegradation noise = new()
        {
            Blur = (1e-3, 1e-3),
            Reduction = (1, 1),
            Noise = (0.1, 0.1),
            Quality = (95, 95),
        };
        double[] errors = Train(state, 100, 1, Blind, noise.Scaled(FaceDegradation.PublishedSide / 32.0));
        Assert.True(errors[^20..].Average() < 0.7 * errors[..5].Average(), $"{errors[..5].Average()} to {errors[^20..].Average()}");
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("perceptual")]
    [InlineData("edges")]
    [InlineData("texture")]
    [InlineData("codes")]
    [InlineData("adversary")]
    public void Every_term_takes_part(string term)
    {
        using TrainingState with = State(),
            without = State(critic: term != "adversary");
        Train(with, 2);
        Train(without, 2, 1, new FaceLoss().With(new Dictionary<string, string> { [term] = "0" }));
        Assert.NotEqual(Named(with)["unet.conv_out.weight"], Named(without)["unet.conv_out.weight"]);
    }

    [Fact]
    public void The_embedder_learns_alone_at_first_and_rests_then()
    {
        using TrainingState state = State();
        Dictionary<string, float[]> start = Named(state);
        Train(state, 1, embedderSteps: 1);
        Dictionary<string, float[]> taught = Named(state);
        Assert.NotEqual(start["embedder.codes.weight"], taught["embedder.codes.weight"]);
        Assert.NotEqual(start["embedder.quant_conv.weight"], taught["embedder.quant_conv.weight"]);
        Assert.All(start.Keys.Where(name => !name.StartsWith("embedder.")), name => Assert.Equal(start[name], taught[name], Near));
        // The optimiser's momentum fades, and what is left of it is far below one step.
        Train(state, 30, embedderSteps: 1);
        Dictionary<string, float[]> rested = Named(state);
        Train(state, 5, embedderSteps: 1);
        Dictionary<string, float[]> last = Named(state);
        Assert.Equal(rested["embedder.codes.weight"], last["embedder.codes.weight"], Near);
        Assert.NotEqual(rested["unet.conv_out.weight"], last["unet.conv_out.weight"], Near);
        Assert.NotEqual(rested["critic.verdict.weight"], last["critic.verdict.weight"], Near);

        static bool Near(float a, float b) => Math.Abs(a - b) < 1e-3;
    }

    [Fact]
    public void The_critic_tells_real_from_blurred_patches_and_the_restorer_is_told()
    {
        using FaceAdversary adversary = new(new FaceCritic(), new FaceCritic());
        adversary.Pupil.Initialize(1);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor clean = (torch.arange(3 * 32 * 32).reshape(1, 3, 32, 32) * 12.9898).sin(),
            blurred = torch.nn.functional.avg_pool2d(clean, 3, 1, 1);
        List<float> lessons = [];
        for (int i = 0; i < 60; i++)
        {
            foreach (Parameter parameter in adversary.Pupil.Parameters)
                parameter.Value = parameter.Value.detach().requires_grad_();
            Tensor lesson = adversary.Lesson(blurred, clean, 1, i, 0).sum();
            lessons.Add(lesson.item<float>());
            Tensor[] gradients = [.. torch.autograd.grad([lesson], [.. adversary.Pupil.Parameters.Select(parameter => parameter.Value)])];
            foreach ((Parameter parameter, Tensor gradient) in adversary.Pupil.Parameters.Zip(gradients))
                parameter.Value = parameter.Value.detach() - 0.1 * gradient;
        }
        Assert.True(lessons[^1] < 0.5 * lessons[0], $"{lessons[0]} to {lessons[^1]}");
        foreach ((Parameter judge, Parameter pupil) in adversary.Judge.Parameters.Zip(adversary.Pupil.Parameters))
            judge.Value = pupil.Value;
        Assert.True(adversary.Blame(blurred, clean).item<float>() > 2 * adversary.Blame(clean, clean).item<float>());
    }

    [Fact]
    public void The_identity_of_a_face_of_which_much_is_left_weighs_as_much_as_that_of_a_bad_one()
    {
        // Distances of 0.2 and 0.4 that fall by a tenth: the logarithm's loss falls by as much but for its floor.
        FaceLoss loss = new();
        double Gain(double distance)
        {
            using Tensor expected = torch.zeros(1, 4),
                seen = torch.tensor(new[] { (float)distance, 0, 0, 0 }).reshape(1, 4);
            return (loss.OfIdentity(seen, expected) - loss.OfIdentity(0.9 * seen, expected)).item<float>();
        }
        Assert.InRange(Gain(0.2) / Gain(0.4), 0.8, 1);
    }

    [Fact]
    public void Unknown_terms_and_weights_that_are_none_are_refused()
    {
        FaceLoss Told(string term, string weight) => new FaceLoss().With(new Dictionary<string, string> { [term] = weight });
        Assert.Equal(0.5, Told("texture", "0.5").Texture);
        Assert.Contains("token-dropout", Assert.Throws<ArgumentException>(() => Told("tokens", "1")).Message);
        Assert.Throws<ArgumentException>(() => Told("identity", "-1"));
        Assert.Throws<ArgumentException>(() => Told("identity", "much"));
    }

    [Fact]
    public void Structure_distance_is_that_of_the_paper()
    {
        // Two pictures of two pixels: means 2 and 3, variances 1 and 4, covariance 2.
        using Tensor a = torch.tensor([1f, 3f]).reshape(1, 1, 1, 2),
            b = torch.tensor([1f, 5f]).reshape(1, 1, 1, 2);
        using Tensor apart = StructureDistance.Between([a], [b]),
            same = StructureDistance.Between([a, b], [a, b]);
        Assert.Equal(1 - (12.0 / 13 + 4.0 / 5) / 2, apart.item<float>(), 1e-5);
        Assert.Equal(0, same.item<float>(), 1e-6);
    }

    [Fact]
    public void A_run_in_a_folder_goes_on_and_leaves_a_model_that_is_recognised()
    {
        FaceTrainingPlan Plan(long steps) =>
            new()
            {
                Faces = [.. Enumerable.Range(0, 3).Select(Written)],
                Validation = [Written(3)],
                Folder = Path.Combine(_folder, "run"),
                Budget = new TrainingBudget(Steps: steps),
                Architecture = FaceUNetTests.Tiny,
                Settings = Settings,
                Loss = Blind,
                Name = "tiny",
            };
        using (FaceTrainingRun run = new(Plan(5)))
            Assert.True(run.Run());
        using FaceTrainingRun again = new(Plan(10));
        Assert.InRange(again.State.Step, 4, 5);
        FaceValidation? seen = null;
        Assert.True(again.Run(validated: v => seen = v));
        Assert.Equal(10, again.State.Step);
        Assert.InRange(seen!.Restored, 5, 60);
        string model = Path.Combine(_folder, "run", "model");
        using var file = Diffusion.Checkpoints.Checkpoint.Open(Path.Combine(model, "tiny.safetensors"));
        Assert.Equal(FaceUNetFamily.Name, NetworkCatalog.BuiltIn.Recognize(file)?.Family.Kind);
        Assert.Contains("\"kind\": \"face-unet\"", File.ReadAllText(Path.Combine(model, "card.json")));
        Assert.Contains(
            "face0.png",
            Assert.Throws<CheckpointException>(() => new FaceTrainingRun(Plan(20) with { Faces = [Written(1), Written(2)] })).Message
        );
        // Another run starts from it, with a critic that is no part of what is written.
        string weights = Path.Combine(model, "tiny.safetensors");
        FaceTrainingPlan next = Plan(5) with
        {
            Folder = Path.Combine(_folder, "next"),
            Start = weights,
            Loss = Blind with { Adversary = 1 },
        };
        using FaceTrainingRun started = new(next);
        started.Validate();
        using var written = Diffusion.Checkpoints.Checkpoint.Open(Path.Combine(next.Folder, "model", "tiny.safetensors"));
        Assert.Equal(file.Tensors.Keys.Order(), written.Tensors.Keys.Order());
        Assert.All(file.Tensors.Keys, name =>
        {
            using Tensor one = file.Tensors[name].Read(),
                other = written.Tensors[name].Read();
            Assert.True(one.equal(other).all().item<bool>(), name);
        });

        string Written(int i)
        {
            string path = Path.Combine(_folder, $"face{i}.png");
            using Tensor face = FaceSource.Face(Photo(i), 32);
            Diffusion.Imaging.ImageFile.Write(path, face);
            return path;
        }
    }

    internal static TrainingPhoto Photo(int seed)
    {
        TrainingPhoto photo = TrainingFixture.Photo(seed);
        const int Side = 32;
        byte[] square = [.. Enumerable.Range(0, Side).SelectMany(y => photo.Pixels.Skip(3 * photo.Width * y).Take(3 * Side))];
        return new TrainingPhoto(photo.Name, square, Side, Side, IsLossy: false);
    }

    /// <summary>The weights after some steps by a loss with eyes of its own.</summary>
    internal static float[] After(int steps, FaceLoss loss, IFacePerception eyes)
    {
        using TrainingState state = State(critic: loss.Adversary > 0);
        FaceSource faces = new([.. Enumerable.Range(0, 4).Select(Photo)], 32, 1);
        using FaceTrainer trainer = new(() => new FaceUNetLearner(FaceUNetTests.Tiny, Settings.Policy), faces, loss, eyes, Settings, state);
        for (int i = 0; i < steps; i++)
            trainer.Step();
        return TrainingFixture.Weights(state);
    }

    private static TrainingState State(bool critic = true)
    {
        using FaceUNetLearner network = new(FaceUNetTests.Tiny, ComputePolicy.Reference);
        using FaceCritic judge = new();
        network.Initialize(3);
        judge.Initialize(3);
        IReadOnlyList<Parameter> learning = FaceTrainer.Learning(network, critic ? judge : null);
        TrainingState state = new(learning, new LearningRate(2e-3, 2));
        state.Initialize(learning);
        return state;
    }

    private static Dictionary<string, float[]> Named(TrainingState state)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return state.Export(TrainedWeights.Last).ToDictionary(weight => weight.Key, weight => weight.Value.data<float>().ToArray());
    }

    private static double[] Train(
        TrainingState state,
        int steps,
        int workers = 1,
        FaceLoss? loss = null,
        FaceDegradation? degradation = null,
        long embedderSteps = 0
    )
    {
        using DescriptorPerception? perception = loss == Blind ? null : DescriptorPerception.Shipped();
        using FaceTrainer trainer = new(
            () => new FaceUNetLearner(FaceUNetTests.Tiny, Settings.Policy),
            new FaceSource([.. Enumerable.Range(0, 4).Select(Photo)], 32, 1)
            {
                Degradation = degradation ?? new(),
                LargestScale = degradation is null ? 0.75 : 0,
            },
            loss ?? new FaceLoss(),
            perception,
            Settings with
            {
                Workers = workers,
            },
            state
        )
        {
            EmbedderSteps = embedderSteps,
        };
        return [.. Enumerable.Range(0, steps).Select(_ => trainer.Step().Error)];
    }
}
