using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// An estimate of x0 from x = x0 + sigma n: pictures [N,C,H,W] on [-1,1], noise added on top (variance exploding), whatever the network was
/// trained with.
/// </summary>
public interface IDenoiser : IDisposable
{
    /// <summary>What is known about the prior.</summary>
    PriorInfo Info { get; }

    /// <summary>Estimates x0. Never clips; runs under the caller's gradient mode; takes any height and width.</summary>
    /// <param name="x">[N,C,H,W] float32, borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise in <paramref name="x"/>, on the [-1,1] scale.</param>
    /// <param name="condition">Labels and overrides.</param>
    /// <returns>[N,C,H,W] float32; the caller owns it.</returns>
    Tensor Denoise(Tensor x, double sigma, in Condition condition = default);
}

/// <summary>What solvers in variance-preserving terms need beyond x0: the network's own output at an integer time.</summary>
public interface IVpNetwork
{
    /// <summary>The schedule that the network was trained with.</summary>
    NoiseSchedule Schedule { get; }

    /// <summary>The network's output at x_t = sqrt(alphaBar_t) x0 + sqrt(1 - alphaBar_t) n.</summary>
    /// <param name="xt">[N,C,H,W] float32, borrowed.</param>
    /// <param name="t">Integer time, 0..<see cref="NoiseSchedule.Steps"/>-1.</param>
    /// <param name="condition">Labels.</param>
    /// <returns>
    /// The noise estimate, and the variance channels v in [-1,1] where the network has learned them; the caller owns both.
    /// </returns>
    (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default);
}

/// <summary>What a denoiser's network sees beside the picture.</summary>
public readonly record struct Condition
{
    /// <summary>One class label per picture, for class-conditional priors.</summary>
    public long[]? Labels { get; init; }

    /// <summary>
    /// The noise level that the network's time embedding is told, where it differs from the one of the scalings (CM4IR's deltas of type 0).
    /// </summary>
    public double? NetworkSigma { get; init; }

    /// <summary>What the network sees beside some of the pictures, in their order.</summary>
    public Condition Select(IReadOnlyList<int> pictures)
    {
        long[]? labels = Labels;
        return labels is null ? this : this with { Labels = [.. pictures.Select(picture => labels[picture])] };
    }
}
