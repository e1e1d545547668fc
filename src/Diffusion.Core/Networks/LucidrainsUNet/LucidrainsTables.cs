using Diffusion.Checkpoints;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>What GaussianDiffusion's tables beside a Unet's weights tell of its training.</summary>
internal sealed class LucidrainsTables
{
    private readonly double[] _alphaBar;
    private readonly double[]? _lossWeight;

    private LucidrainsTables(double[] alphaBar, double[]? lossWeight) => (_alphaBar, _lossWeight) = (alphaBar, lossWeight);

    /// <summary>The tables of the diffusion that holds a Unet; null when there are none.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="prefix">What precedes the Unet's names: <c>ema.ema_model.model.</c>, <c>model.</c>, ...</param>
    public static LucidrainsTables? Beside(ICheckpoint file, string prefix)
    {
        string outer = prefix.TrimEnd('.') is var inner && inner.LastIndexOf('.') is > 0 and var dot ? inner[..(dot + 1)] : "";
        if (Read("alphas_cumprod") is not { Length: > 0 } alphaBar || alphaBar.Any(a => !(a is >= 0 and <= 1)))
            return null;
        return new LucidrainsTables(alphaBar, Read("loss_weight") is { } weight && weight.Length == alphaBar.Length ? weight : null);

        double[]? Read(string table)
        {
            if (!file.Tensors.TryGetValue(outer + table, out TensorEntry? entry) || entry.Shape.Count != 1)
                return null;
            using Tensor values = entry.Read(ScalarType.Float64);
            return values.data<double>().ToArray();
        }
    }

    /// <summary>The schedule, whose alphaBar is the stored one.</summary>
    public NoiseSchedule Schedule =>
        new([
            .. _alphaBar.Select(
                (a, t) =>
                    t == 0 ? 1 - a
                    : _alphaBar[t - 1] == 0 ? 1
                    : Math.Clamp(1 - a / _alphaBar[t - 1], 0, 1)
            ),
        ]);

    /// <summary>
    /// What is predicted, by the weights of the loss where noise prevails: 1 for the noise, alphaBar / (1 - alphaBar) for the picture,
    /// alphaBar for v. Where the signal prevails, weights may be clamped (Hang et al. 2023). Null: the weights are of none of these.
    /// </summary>
    public Prediction? Prediction
    {
        get
        {
            if (_lossWeight is not { } weights)
                return null;
            int[] noisy = [.. Enumerable.Range(0, _alphaBar.Length).Where(t => _alphaBar[t] is > 0 and < 0.45)];
            if (noisy.Length == 0)
                return null;
            (Prediction Prediction, Func<double, double> Weight)[] known =
            [
                (Sampling.Prediction.Epsilon, _ => 1),
                (Sampling.Prediction.X0, a => a / (1 - a)),
                (Sampling.Prediction.V, a => a),
            ];
            foreach ((Prediction prediction, Func<double, double> weight) in known)
                if (noisy.All(t => Math.Abs(weights[t] - weight(_alphaBar[t])) <= 1e-3 * weight(_alphaBar[t]) + 1e-9))
                    return prediction;
            return null;
        }
    }
}
