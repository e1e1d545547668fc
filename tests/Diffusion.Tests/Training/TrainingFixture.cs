using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Sampling;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

/// <summary>A network and photographs that train in a second.</summary>
internal static class TrainingFixture
{
    public static AdmUNetConfig Architecture { get; } =
        new()
        {
            ModelChannels = 32,
            NumResBlocks = 1,
            ChannelMult = [1, 1],
            NumHeadChannels = 32,
            UseScaleShiftNorm = true,
            ResblockUpdown = true,
        };

    public static TrainingSettings Settings { get; } = new() { Workers = 1, Batches = [new(16, 6, 0.7), new(24, 3, 0.3)] };

    /// <summary>Smooth pictures with edges, deterministic.</summary>
    public static IReadOnlyList<TrainingPhoto> Photos { get; } = [.. Enumerable.Range(0, 4).Select(Photo)];

    public static TrainingPhoto Photo(int seed)
    {
        const int Width = 60,
            Height = 52;
        byte[] pixels = new byte[3 * Width * Height];
        for (int y = 0; y < Height; y++)
        for (int x = 0; x < Width; x++)
        for (int c = 0; c < 3; c++)
            pixels[3 * (y * Width + x) + c] = (byte)(
                128 + 60 * Math.Sin((x + 3 * c) * (0.1 + 0.05 * seed)) + ((x / 9 + y / 7 + seed) % 2 == 0 ? 40 : -40)
            );
        return new TrainingPhoto($"photo{seed}", pixels, Width, Height, IsLossy: false);
    }

    public static TrainingState State()
    {
        using AdmUNet network = new(Architecture);
        network.Initialize(3);
        TrainingState state = new(network.Parameters, new LearningRate(1e-3, 2));
        state.Initialize(network.Parameters);
        return state;
    }

    public static PriorTrainer Trainer(TrainingState state, TrainingSettings? settings = null) =>
        new(Architecture, NoiseSchedule.Linear(), new CropSource(Photos, 1), settings ?? Settings, state);

    public static float[] Weights(TrainingState state, TrainedWeights which = TrainedWeights.Last) =>
        [
            .. state
                .Export(which)
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .SelectMany(p =>
                {
                    using (p.Value)
                        return p.Value.data<float>().ToArray();
                }),
        ];
}
