using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Small;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Pairs;

public sealed class PairTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pair-training").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Tasks => ["generator", "restorer"];

    private static PairTask Task(string name) => name == "generator" ? PairFixture.Generator : PairFixture.Restorer;

    [Theory]
    [MemberData(nameof(Tasks))]
    public void A_run_that_was_aborted_ends_with_the_same_weights_bit_for_bit_on_any_number_of_threads(string name)
    {
        PairTask task = Task(name);
        using TrainingState whole = PairFixture.State(task);
        PairFixture.Train(task, whole, 4, workers: 2);
        string file = Path.Combine(_folder, "state");
        using (TrainingState first = PairFixture.State(task))
        {
            PairFixture.Train(task, first, 2);
            first.Save(file);
            PairFixture.Train(task, first, 1); // lost, as after kill -9
        }
        using TrainingState second = PairFixture.State(task);
        second.Load(file);
        PairFixture.Train(task, second, 2);
        Assert.Equal((4L, 12L), (second.Step, second.Crops));
        foreach (TrainedWeights which in Enum.GetValues<TrainedWeights>())
            Assert.Equal(TrainingFixture.Weights(whole, which), TrainingFixture.Weights(second, which));
    }

    [Fact]
    public void A_restorer_learns_to_undo_what_was_done()
    {
        TrainingPair[] dark = [PairFixture.Pair(0), PairFixture.Pair(2)];
        using TrainingState state = PairFixture.State(PairFixture.Restorer);
        double[] errors = PairFixture.Train(PairFixture.Restorer, state, 80, pairs: dark);
        Assert.True(errors[^10..].Average() < 0.1 * errors[..5].Average(), $"{errors[..5].Average()} to {errors[^10..].Average()}");
    }

    [Fact]
    public void A_generator_learns_kinds_and_intensities()
    {
        using TrainingState state = PairFixture.State(PairFixture.Generator);
        PairFixture.Train(PairFixture.Generator, state, 160);
        using ComputeScope scope = new();
        DegradationUNet network = (DegradationUNet)PairFixture.Generator.Create(ComputePolicy.Reference);
        state.CopyTo(network, TrainedWeights.Last);
        using SmallGenerator generator = new(network, new SmallSettings { Fit = false });
        using Tensor clean = PairFixture.Picture(TrainingFixture.Photo(0));
        double Change(DegradationKind kind, double mu)
        {
            using Synthesized made = generator.Generate(clean, new(kind, new(mu, mu / 2), 1, "key"));
            return (made.Degraded - clean).mean().item<float>();
        }
        Assert.InRange(Change(DegradationKind.LowLight, 0.25), -0.5, -0.12);
        Assert.InRange(Change(DegradationKind.Haze, 0.25), 0.12, 0.5);
    }

    [Theory]
    [MemberData(nameof(Tasks))]
    public void A_run_in_a_folder_goes_on_and_leaves_a_model_that_loads(string name)
    {
        string pairs = Path.Combine(_folder, "pairs");
        PairFixture.Write(pairs, Enumerable.Range(0, 4).Select(PairFixture.Pair));
        (IReadOnlyList<PairFile> train, IReadOnlyList<PairFile> held) = PairFile.HoldOut(PairFolders.Find([pairs]), 1);
        Assert.Equal((2, 2), (train.Count, held.Count));
        PairTrainingPlan Plan(long steps) =>
            new()
            {
                Task = Task(name),
                Pairs = train,
                Validation = held,
                Folder = Path.Combine(_folder, "run"),
                Budget = new TrainingBudget(Steps: steps),
                Settings = PairFixture.Settings,
                Name = "tiny",
            };
        using (PairTrainingRun run = new(Plan(5)))
            Assert.True(run.Run());
        using PairTrainingRun again = new(Plan(10));
        Assert.InRange(again.State.Step, 4, 5);
        IReadOnlyList<(string Name, double Value)> seen = [];
        Assert.True(again.Run(validated: numbers => seen = numbers));
        Assert.Equal(10, again.State.Step);
        Assert.All(seen, number => Assert.True(double.IsFinite(number.Value), number.Name));
        Assert.Equal(2, seen.Count);
        string model = Path.Combine(_folder, "run", "model");
        Assert.True(File.Exists(Path.Combine(_folder, "run", "validation.png")));
        Assert.Equal(2, File.ReadLines(Path.Combine(model, "photographs.txt")).Count());
        if (name == "generator")
        {
            using IDegradationGenerator generator = Generators.Open(model);
            Assert.StartsWith("tiny-", generator.Name);
        }
        else
        {
            using PictureNetwork network = Diffusion.Models.PictureNetworkFile.Find(model).Load(ComputePolicy.Reference);
            Assert.Equal(3, network.Channels);
        }
    }
}
