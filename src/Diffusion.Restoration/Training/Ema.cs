using System.Numerics;

namespace Diffusion.Training;

/// <summary>Exponential moving average of the weights, with a start that forgets the first steps quickly.</summary>
/// <param name="Length">Steps after which a weight has faded to 1/e.</param>
public sealed record Ema(double Length)
{
    /// <summary>Steps between two updates: averaging seldom saves memory traffic and changes nothing measurable.</summary>
    public const int Interval = 4;

    /// <summary>Whether the average is updated after this step.</summary>
    public static bool IsDue(long step) => (step + 1) % Interval == 0;

    /// <summary>Moves a slice of the average towards the weights.</summary>
    /// <param name="step">The step just done.</param>
    /// <param name="average">Updated.</param>
    /// <param name="weights">The present weights.</param>
    public void Update(long step, Span<float> average, ReadOnlySpan<float> weights)
    {
        double keep = Math.Min(Math.Exp(-Interval / Length), (1.0 + step) / (10.0 * Interval + step));
        float share = (float)(1 - keep);
        int i = 0;
        for (int width = Vector<float>.Count; i <= average.Length - width; i += width)
        {
            Vector<float> a = new(average[i..]);
            (a + share * (new Vector<float>(weights[i..]) - a)).CopyTo(average[i..]);
        }
        for (; i < average.Length; i++)
            average[i] += share * (weights[i] - average[i]);
    }
}
