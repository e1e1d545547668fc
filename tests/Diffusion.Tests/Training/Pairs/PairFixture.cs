using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Synthesis;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Pairs;

/// <summary>Pairs and networks that train in seconds.</summary>
internal static class PairFixture
{
    public static DegradationTask Generator { get; } =
        new()
        {
            Architecture = new()
            {
                Widths = [16, 32],
                Embedding = 32,
                HeadWidth = 16,
            },
        };

    public static RestorerTask Restorer { get; } =
        new()
        {
            Architecture = new()
            {
                Width = 8,
                EncoderBlocks = [1],
                MiddleBlocks = 1,
                DecoderBlocks = [1],
            },
        };

    public static TrainingSettings Settings { get; } =
        new()
        {
            Workers = 1,
            Parts = 2,
            Batches = [new(32, 3, 1)],
        };

    /// <summary>Darker pictures and lighter ones.</summary>
    public static IReadOnlyList<TrainingPair> Pairs { get; } = [.. Enumerable.Range(0, 4).Select(Pair)];

    public static TrainingPair Pair(int i)
    {
        TrainingPhoto clean = TrainingFixture.Photo(i);
        DegradationKind kind = i % 2 == 0 ? DegradationKind.LowLight : DegradationKind.Haze;
        TrainingPhoto degraded = clean with
        {
            Pixels = [.. clean.Pixels.Select(v => (byte)(kind == DegradationKind.LowLight ? v / 2 : 128 + v / 2))],
        };
        return new TrainingPair(new PairFile($"{i}-clean.png", $"{i}-degraded.png", kind, $"{i}", "here"), clean, degraded);
    }

    public static TrainingState State(PairTask task)
    {
        using Network network = task.Create(Diffusion.Runtime.ComputePolicy.Reference);
        network.Initialize(3);
        TrainingState state = new(network.Parameters, new LearningRate(2e-3, 2));
        state.Initialize(network.Parameters);
        return state;
    }

    public static double[] Train(PairTask task, TrainingState state, int steps, int workers = 1, IReadOnlyList<TrainingPair>? pairs = null)
    {
        using PairTrainer trainer = new(task, new PairSource(pairs ?? Pairs, 1), Settings with { Workers = workers }, state);
        return [.. Enumerable.Range(0, steps).Select(_ => trainer.Step().Error)];
    }

    /// <summary>Writes pairs as folders of pairs are laid, <c>ROOT/KIND/NAME-clean.png</c>.</summary>
    public static void Write(string root, IEnumerable<TrainingPair> pairs)
    {
        foreach (TrainingPair pair in pairs)
        {
            string folder = Path.Combine(root, DegradationKinds.NameOf(pair.File.Kind));
            Directory.CreateDirectory(folder);
            Save(Path.Combine(folder, pair.File.Clean), pair.Clean);
            Save(Path.Combine(folder, pair.File.Degraded), pair.Degraded);
        }
    }

    public static Tensor Picture(TrainingPhoto photo)
    {
        using Tensor bytes = torch.tensor(photo.Pixels, [1, photo.Height, photo.Width, 3], dtype: ScalarType.Byte);
        return bytes.permute(0, 3, 1, 2).to(ScalarType.Float32) / 255;
    }

    private static void Save(string path, TrainingPhoto photo)
    {
        using Tensor picture = Picture(photo);
        ImageFile.Write(path, picture);
    }
}
