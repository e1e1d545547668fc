namespace Diffusion.Models;

/// <summary>One tile along one axis.</summary>
/// <param name="Start">First pixel.</param>
/// <param name="Length">Number of pixels.</param>
/// <param name="Weights">How much each pixel counts in the blend, 0..1.</param>
public readonly record struct TileSpan(int Start, int Length, float[] Weights)
{
    /// <summary>Cuts an axis into overlapping tiles.</summary>
    /// <param name="length">Pixels of the axis.</param>
    /// <param name="tile">Pixels of a tile, a multiple of <paramref name="multiple"/>.</param>
    /// <param name="overlap">Pixels that neighbours share at least.</param>
    /// <param name="margin">Pixels at an inner border whose result depends on what was cut off: they count nothing.</param>
    /// <param name="multiple">Tiles begin at multiples of this, so that the network's grid lies as in the whole picture.</param>
    public static TileSpan[] Cut(int length, int tile, int overlap, int margin, int multiple)
    {
        if (length <= tile)
            return [new TileSpan(0, length, [.. Enumerable.Repeat(1f, length)])];
        int last = (length - tile + multiple - 1) / multiple * multiple;
        int step = Math.Max(multiple, (tile - overlap) / multiple * multiple);
        int count = (last + step - 1) / step + 1;
        int[] starts = [.. Enumerable.Range(0, count).Select(i => (int)Math.Round((double)i * last / (count - 1) / multiple) * multiple)];
        return
        [
            .. starts.Select(
                (start, i) =>
                {
                    int end = Math.Min(start + tile, length);
                    int left = i == 0 ? 0 : starts[i - 1] + tile - start,
                        right = i == count - 1 ? 0 : end - starts[i + 1];
                    float[] weights = new float[end - start];
                    for (int p = 0; p < weights.Length; p++)
                        weights[p] = MathF.Min(Ramp(p, left), Ramp(weights.Length - 1 - p, right));
                    return new TileSpan(start, weights.Length, weights);
                }
            ),
        ];

        float Ramp(int distance, int shared) =>
            shared == 0 ? 1 : Math.Clamp((distance + 0.5f - margin) / Math.Max(1, shared - 2 * margin), 0, 1);
    }
}
