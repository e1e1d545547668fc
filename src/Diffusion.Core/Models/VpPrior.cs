using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// A diffusion model of a variance-preserving process as a denoiser. Where it predicts the noise, D(x, sigma) = x - sigma eps(x / sqrt(1 +
/// sigma^2), t(sigma)).
/// </summary>
/// <remarks>
/// With sigma^2 = (1 - alphaBar) / alphaBar, x / sqrt(1 + sigma^2) is x_t. Outside the schedule's noise levels the nearest time is used.
/// </remarks>
/// <param name="network">
/// The network, loaded; disposed with the prior. Twice as many output as input channels mean a learned variance.
/// </param>
/// <param name="schedule">The schedule that it was trained with.</param>
/// <param name="info">What is known about it.</param>
/// <param name="timeMode">How a noise level becomes a time.</param>
/// <param name="prediction">What it predicts: epsilon, v or x0.</param>
public sealed class VpPrior(
    DiffusionNetwork network,
    NoiseSchedule schedule,
    PriorInfo info,
    TimeMode timeMode = TimeMode.Interpolated,
    Prediction prediction = Prediction.Epsilon
) : NetworkPrior(network, info), IVpNetwork
{
    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>What the network predicts.</summary>
    public Prediction Prediction { get; } = prediction;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double t = Schedule.TimeOf(condition.NetworkSigma ?? sigma, timeMode);
        Tensor xt = x / Math.Sqrt(1 + sigma * sigma);
        (Tensor output, _) = Split(Evaluate(xt, t, condition));
        return (
            Prediction is Prediction.Epsilon or Prediction.EpsilonConsistency
                ? x - sigma * output
                : Predictions.X0(Prediction, xt, output, 1 / (1 + sigma * sigma))
        ).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
    {
        if (t < 0 || t >= Schedule.Steps)
            throw new ArgumentException($"The time {t} is outside 0..{Schedule.Steps - 1}.");
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor output, Tensor? variance) = Split(Evaluate(xt, t, condition));
        Tensor epsilon = Predictions.Epsilon(Prediction, xt, output, Schedule.AlphaBar[t]);
        return (epsilon.MoveToOuterDisposeScope(), variance?.MoveToOuterDisposeScope());
    }

    private (Tensor Output, Tensor? Variance) Split(Tensor output)
    {
        long channels = Info.Channels;
        return output.shape[1] == channels
            ? (output, null)
            : (output.narrow(1, 0, channels).contiguous(), output.narrow(1, channels, channels).contiguous());
    }
}
