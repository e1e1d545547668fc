namespace Diffusion.Training;

/// <summary>Random crops of photographs held in memory, every one determined by seed, step and index alone.</summary>
/// <remarks>
/// A crop is taken at full scale, or area-averaged down by 2 or by a random factor, and turned into one of the eight orientations, or only
/// mirrored where pictures have an upright.
/// Photographs from lossy files are used at full scale only where the noise hides the traces of compression.
/// </remarks>
public sealed class CropSource
{
    /// <summary>Noise on [-1,1] from which lossy photographs may be used at full scale.</summary>
    public const double LossyFullScaleNoise = 0.03;

    /// <summary>Smallest reduction of a lossy photograph below that noise.</summary>
    private const double CleanReduction = 1.5;

    private const double LargestReduction = 3;
    private readonly IReadOnlyList<TrainingPhoto> _photos;
    private readonly ulong _seed;
    private readonly bool _upright;

    /// <summary>Crops of <paramref name="photos"/>, turned and mirrored; with <paramref name="upright"/> only mirrored.</summary>
    /// <exception cref="ArgumentException">No photographs.</exception>
    public CropSource(IReadOnlyList<TrainingPhoto> photos, ulong seed, bool upright = false)
    {
        if (photos.Count == 0)
            throw new ArgumentException("There are no photographs to train on. Name a folder with pictures.");
        (_photos, _seed, _upright) = (photos, seed, upright);
    }

    /// <summary>Writes one crop on [-1,1].</summary>
    /// <param name="step">The training step.</param>
    /// <param name="index">Number of the crop within the step.</param>
    /// <param name="size">Side length; photographs too small for it are passed over.</param>
    /// <param name="sigma">The noise that will be added, on [-1,1].</param>
    /// <param name="target">[3,size,size], filled.</param>
    public void Fill(long step, int index, int size, double sigma, Span<float> target)
    {
        Draws draws = new(_seed ^ 0xC40B, step, index);
        TrainingPhoto photo = Choose(ref draws, size, sigma, out double least);
        double most = Math.Min(LargestReduction, (double)photo.ShortSide / size);
        double kind = draws.Uniform(),
            any = draws.Uniform(least, Math.Max(least, most));
        double reduction =
            kind < 0.6 && least == 1 ? 1
            : kind < 0.75 && most >= 2 ? 2
            : any;
        int extent = Math.Min(photo.ShortSide, (int)Math.Ceiling(size * reduction));
        int left = draws.Below(photo.Width - extent + 1),
            top = draws.Below(photo.Height - extent + 1),
            orientation = draws.Below(_upright ? 2 : 8);
        Span<float> upright = reduction == 1 && orientation == 0 ? target : new float[target.Length];
        if (reduction == 1)
            Copy(photo, left, top, size, upright);
        else
            Reduce(photo, left, top, size, reduction, upright);
        if (upright != target)
            Orient(upright, target, size, orientation);
    }

    private TrainingPhoto Choose(ref Draws draws, int size, double sigma, out double least)
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            TrainingPhoto photo = _photos[draws.Below(_photos.Count)];
            least = photo.IsLossy && sigma < LossyFullScaleNoise ? CleanReduction : 1;
            if (photo.ShortSide >= Math.Ceiling(size * least))
                return photo;
        }
        throw new ArgumentException(
            $"No photograph is large enough for crops of {size} pixels. Give larger photographs or a smaller crop size."
        );
    }

    private static void Copy(TrainingPhoto photo, int left, int top, int size, Span<float> target)
    {
        int plane = size * size;
        for (int y = 0; y < size; y++)
        {
            ReadOnlySpan<byte> row = photo.Pixels.AsSpan(3 * ((top + y) * photo.Width + left), 3 * size);
            for (int x = 0; x < size; x++)
            for (int c = 0; c < 3; c++)
                target[c * plane + y * size + x] = row[3 * x + c] * (2f / 255) - 1;
        }
    }

    /// <summary>
    /// Area averaging: every output pixel is the mean of a box of reduction x reduction source pixels, fractional edges weighted.
    /// </summary>
    private static void Reduce(TrainingPhoto photo, int left, int top, int size, double reduction, Span<float> target)
    {
        int plane = size * size,
            rows = Math.Min(photo.Height - top, (int)Math.Ceiling(size * reduction));
        float[] narrow = new float[rows * size * 3];
        for (int x = 0; x < size; x++)
        {
            (int first, int last, double head, double tail) = Box(x, reduction, photo.Width - left);
            for (int y = 0; y < rows; y++)
            {
                ReadOnlySpan<byte> row = photo.Pixels.AsSpan(3 * ((top + y) * photo.Width + left));
                for (int c = 0; c < 3; c++)
                {
                    double sum = head * row[3 * first + c] + tail * row[3 * last + c];
                    for (int s = first + 1; s < last; s++)
                        sum += row[3 * s + c];
                    narrow[(y * size + x) * 3 + c] = (float)(sum / reduction);
                }
            }
        }
        for (int y = 0; y < size; y++)
        {
            (int first, int last, double head, double tail) = Box(y, reduction, rows);
            for (int x = 0; x < size; x++)
            for (int c = 0; c < 3; c++)
            {
                double sum = head * narrow[(first * size + x) * 3 + c] + tail * narrow[(last * size + x) * 3 + c];
                for (int s = first + 1; s < last; s++)
                    sum += narrow[(s * size + x) * 3 + c];
                target[c * plane + y * size + x] = (float)(sum / reduction) * (2f / 255) - 1;
            }
        }
    }

    /// <summary>
    /// The source pixels of output pixel i: the first and the last with their weights, those between count fully. A box that ends on a
    /// pixel's edge has tail 0.
    /// </summary>
    private static (int First, int Last, double Head, double Tail) Box(int i, double reduction, int available)
    {
        double from = i * reduction,
            to = Math.Min(available, from + reduction);
        int first = (int)from,
            last = Math.Min(available - 1, (int)to);
        return (first, last, first + 1 - from, to - last);
    }

    private static void Orient(ReadOnlySpan<float> source, Span<float> target, int size, int orientation)
    {
        int plane = size * size;
        for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
        {
            int u = (orientation & 1) != 0 ? size - 1 - x : x,
                v = (orientation & 2) != 0 ? size - 1 - y : y;
            if ((orientation & 4) != 0)
                (u, v) = (v, u);
            for (int c = 0; c < 3; c++)
                target[c * plane + y * size + x] = source[c * plane + v * size + u];
        }
    }
}
