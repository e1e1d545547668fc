using Diffusion.Runtime;
using Diffusion.Synthesis;

namespace Diffusion.Training;

/// <summary>Random crops of pairs held in memory, every one determined by seed, step and index alone.</summary>
/// <remarks>
/// All degradations are equally likely, then all sets and folders that have them, then all pairs. A crop is taken at full scale, or
/// area-averaged down by a random factor, and mirrored in half of the cases: what falls, falls down.
/// </remarks>
public sealed class PairSource
{
    // A crop in which hardly anything happened (a raindrop beside it) teaches nothing.
    private const double LeastChange = 0.006,
        FullScaleShare = 0.6,
        LargestReduction = 3;
    private const int Attempts = 1000,
        Patience = 8;
    private readonly TrainingPair[][][] _pairs;
    private readonly ulong _seed;

    /// <summary>Crops of <paramref name="pairs"/>.</summary>
    /// <exception cref="ArgumentException">No pairs.</exception>
    public PairSource(IReadOnlyList<TrainingPair> pairs, ulong seed)
    {
        if (pairs.Count == 0)
            throw new ArgumentException("There are no pairs to train on. Name a set that diffusion synthesize made, or a folder of pairs.");
        _seed = seed;
        _pairs =
        [
            .. pairs
                .GroupBy(pair => pair.File.Kind)
                .OrderBy(kind => kind.Key)
                .Select(kind => kind.GroupBy(pair => pair.File.Origin).Select(origin => origin.ToArray()).ToArray()),
        ];
    }

    /// <summary>Crops of some indices of a step.</summary>
    /// <param name="step">The training step.</param>
    /// <param name="begin">The first.</param>
    /// <param name="end">One behind the last.</param>
    /// <param name="size">Side length in pixels; pairs too small for it are passed over.</param>
    /// <returns>The caller disposes it.</returns>
    public PairBatch Draw(long step, int begin, int end, int size)
    {
        using ComputeScope scope = new();
        (DegradationKind Kind, Tensor Clean, Tensor Degraded)[] crops =
        [
            .. Enumerable.Range(begin, end - begin).Select(index => Crop(step, index, size)),
        ];
        return new PairBatch(
            scope.Return(torch.cat([.. crops.Select(crop => crop.Clean)])),
            scope.Return(torch.cat([.. crops.Select(crop => crop.Degraded)])),
            [.. crops.Select(crop => crop.Kind)],
            [.. crops.Select(crop => Intensity.Between(crop.Degraded, crop.Clean))]
        );
    }

    private (DegradationKind Kind, Tensor Clean, Tensor Degraded) Crop(long step, int index, int size)
    {
        Draws draws = new(_seed ^ 0xBA1F, step, index);
        int fitting = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            TrainingPair[][] origins = _pairs[draws.Below(_pairs.Length)];
            TrainingPair[] pairs = origins[draws.Below(origins.Length)];
            TrainingPair pair = pairs[draws.Below(pairs.Length)];
            double full = draws.Uniform(),
                reduction = draws.Uniform(1, Math.Max(1, Math.Min(LargestReduction, (double)pair.Clean.ShortSide / size)));
            int extent = full < FullScaleShare ? size : Math.Min(pair.Clean.ShortSide, (int)Math.Ceiling(size * reduction)),
                left = draws.Below(pair.Clean.Width - extent + 1),
                top = draws.Below(pair.Clean.Height - extent + 1);
            bool mirror = draws.Uniform() < 0.5;
            if (pair.Clean.ShortSide < size)
                continue;
            Tensor clean = Cut(pair.Clean, left, top, extent, size, mirror),
                degraded = Cut(pair.Degraded, left, top, extent, size, mirror);
            if (++fitting == Patience || (degraded - clean).square().mean().item<float>() >= LeastChange * LeastChange)
                return (pair.File.Kind, clean, degraded);
        }
        throw new ArgumentException($"No pair is large enough for crops of {size} pixels. Give larger pictures or a smaller crop size.");
    }

    private static Tensor Cut(TrainingPhoto photo, int left, int top, int extent, int size, bool mirror)
    {
        byte[] pixels = new byte[3 * extent * extent];
        for (int y = 0; y < extent; y++)
            photo.Pixels.AsSpan(3 * ((top + y) * photo.Width + left), 3 * extent).CopyTo(pixels.AsSpan(3 * extent * y));
        Tensor crop = torch.tensor(pixels, [1, extent, extent, 3], dtype: ScalarType.Byte).permute(0, 3, 1, 2).to(ScalarType.Float32) / 255;
        if (extent != size)
            crop = torch.nn.functional.interpolate(crop, size: [size, size], mode: torch.InterpolationMode.Area);
        return mirror ? crop.flip(3) : crop;
    }
}

/// <summary>Crops of pairs. Owns its pictures.</summary>
/// <param name="Clean">[N,3,S,S] float32 on [0,1].</param>
/// <param name="Degraded">In the same shape.</param>
/// <param name="Kinds">What was done to each.</param>
/// <param name="Intensities">How far each is from its clean one.</param>
public sealed record PairBatch(Tensor Clean, Tensor Degraded, IReadOnlyList<DegradationKind> Kinds, IReadOnlyList<Intensity> Intensities)
    : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Clean.Dispose();
        Degraded.Dispose();
    }
}
