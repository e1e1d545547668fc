using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>A network with Karras scalings: D(x, sigma) = c_skip x + c_out F(c_in x, 250 ln sigma').</summary>
/// <remarks>sigma' is <see cref="Condition.NetworkSigma"/> where that is set, else sigma; the scalings always take sigma.</remarks>
/// <param name="network">F, loaded; disposed with the prior.</param>
/// <param name="scalings">The scalings.</param>
/// <param name="info">What is known about it.</param>
public abstract class KarrasPrior(DiffusionNetwork network, KarrasScalings scalings, PriorInfo info) : NetworkPrior(network, info)
{
    /// <summary>The scalings.</summary>
    public KarrasScalings Scalings { get; } = scalings;

    /// <inheritdoc/>
    public override Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = Evaluate(x * Scalings.In(sigma), KarrasScalings.Time(condition.NetworkSigma ?? sigma), condition);
        return (x * Scalings.Skip(sigma) + f * Scalings.Out(sigma)).MoveToOuterDisposeScope();
    }
}

/// <summary>A consistency model: the end point of the probability-flow trajectory in one evaluation.</summary>
/// <param name="network">F, loaded; disposed with the prior.</param>
/// <param name="info">What is known about it.</param>
/// <param name="scalings">The boundary scalings; null: those of the published models.</param>
public sealed class ConsistencyPrior(DiffusionNetwork network, PriorInfo info, KarrasScalings? scalings = null)
    : KarrasPrior(network, scalings ?? KarrasScalings.Consistency, info with { Kind = PriorKind.Consistency });

/// <summary>A denoiser of Karras et al. (2022): the mean of x0 given x.</summary>
/// <param name="network">F, loaded; disposed with the prior.</param>
/// <param name="info">What is known about it.</param>
/// <param name="scalings">The scalings; null: those of the published models.</param>
public sealed class EdmPrior(DiffusionNetwork network, PriorInfo info, KarrasScalings? scalings = null)
    : KarrasPrior(network, scalings ?? KarrasScalings.Edm, info with { Kind = PriorKind.PosteriorMean });
