using System.Numerics;

namespace Diffusion.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): decoupled weight decay, bias-corrected moments. Works on slices, so that several threads share one
/// step.
/// </summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="WeightDecay">Relative to the rate.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
public sealed record AdamW(double Beta1 = 0.9, double Beta2 = 0.99, double WeightDecay = 1e-3, double Epsilon = 1e-8)
{
    /// <summary>One step over a slice.</summary>
    /// <param name="step">0 for the first.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="scale">What the gradient is multiplied with (clipping).</param>
    /// <param name="gradient">The gradient.</param>
    /// <param name="weights">Updated.</param>
    /// <param name="first">First moment m, updated.</param>
    /// <param name="second">Second moment v, updated.</param>
    public void Update(
        long step,
        double rate,
        double scale,
        ReadOnlySpan<float> gradient,
        Span<float> weights,
        Span<float> first,
        Span<float> second
    )
    {
        float b1 = (float)Beta1,
            b2 = (float)Beta2,
            clip = (float)scale,
            epsilon = (float)Epsilon;
        float size = (float)(rate / (1 - Math.Pow(Beta1, step + 1))),
            root = (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, step + 1)));
        float keep = (float)(1 - rate * WeightDecay);
        int i = 0;
        for (int width = Vector<float>.Count; i <= gradient.Length - width; i += width)
        {
            Vector<float> g = new Vector<float>(gradient[i..]) * clip;
            Vector<float> m = b1 * new Vector<float>(first[i..]) + (1 - b1) * g;
            Vector<float> v = b2 * new Vector<float>(second[i..]) + (1 - b2) * g * g;
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            (keep * new Vector<float>(weights[i..]) - size * m / (Vector.SquareRoot(v) * root + new Vector<float>(epsilon))).CopyTo(
                weights[i..]
            );
        }
        for (; i < gradient.Length; i++)
        {
            float g = gradient[i] * clip;
            float m = first[i] = b1 * first[i] + (1 - b1) * g;
            float v = second[i] = b2 * second[i] + (1 - b2) * g * g;
            weights[i] = keep * weights[i] - size * m / (MathF.Sqrt(v) * root + epsilon);
        }
    }
}
