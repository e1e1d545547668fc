using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// A diffusion model that predicts the noise of a variance-preserving process, as a denoiser: D(x, sigma) = x - sigma eps(x / sqrt(1 +
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
public sealed class EpsilonPrior(AdmUNet network, NoiseSchedule schedule, PriorInfo info, TimeMode timeMode = TimeMode.Interpolated)
    : UNetPrior(network, info),
        IVpNetwork
{
    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double t = Schedule.TimeOf(condition.NetworkSigma ?? sigma, timeMode);
        (Tensor epsilon, _) = Split(Evaluate(x / Math.Sqrt(1 + sigma * sigma), t, condition));
        return (x - sigma * epsilon).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
    {
        if (t < 0 || t >= Schedule.Steps)
            throw new ArgumentException($"The time {t} is outside 0..{Schedule.Steps - 1}.");
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor epsilon, Tensor? variance) = Split(Evaluate(xt, t, condition));
        return (epsilon.MoveToOuterDisposeScope(), variance?.MoveToOuterDisposeScope());
    }

    private (Tensor Epsilon, Tensor? Variance) Split(Tensor output)
    {
        long channels = Info.Channels;
        return output.shape[1] == channels
            ? (output, null)
            : (output.narrow(1, 0, channels).contiguous(), output.narrow(1, channels, channels).contiguous());
    }
}
