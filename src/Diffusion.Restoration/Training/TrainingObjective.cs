using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>What a step of training makes small. Returned tensors belong to the caller.</summary>
public abstract class TrainingObjective
{
    /// <summary>What the network's output means.</summary>
    public abstract Prediction Prediction { get; }

    /// <summary>What a card must say about a prior trained so; null: nothing.</summary>
    public virtual string? Note => null;

    /// <summary>Whether the losses of a step are those of one noise level each, and are balanced between levels.</summary>
    public virtual bool IsBalanced(long step) => true;

    /// <summary>The prior that a network trained so is.</summary>
    /// <param name="network">The network; owned by the prior.</param>
    /// <param name="schedule">The schedule, for networks that predict epsilon.</param>
    /// <param name="info">What is known about it.</param>
    public virtual NetworkPrior Prior(AdmUNet network, NoiseSchedule schedule, PriorInfo info) => new VpPrior(network, schedule, info);

    /// <summary>The loss of each crop.</summary>
    /// <param name="network">A network whose parameters want gradients.</param>
    /// <param name="schedule">Its schedule.</param>
    /// <param name="clean">x0, [N,3,h,w] on [-1,1].</param>
    /// <param name="noise">n, standard normal, in the same shape.</param>
    /// <param name="sigmas">Noise level of each crop.</param>
    /// <param name="step">Number of the step.</param>
    /// <returns>[N], differentiable with respect to the parameters.</returns>
    public abstract Tensor Loss(
        AdmUNet network,
        NoiseSchedule schedule,
        Tensor clean,
        Tensor noise,
        IReadOnlyList<double> sigmas,
        long step
    );

    /// <summary>The network's noise estimate [N,C,H,W] for x = x0 + sigma n: eps(x / sqrt(1 + sigma^2), t(sigma)).</summary>
    protected static Tensor Epsilon(AdmUNet network, NoiseSchedule schedule, Tensor x, IReadOnlyList<double> sigmas) =>
        network.Forward(x * PerCrop(sigmas, s => 1 / Math.Sqrt(1 + s * s)), PerCrop(sigmas, s => schedule.TimeOf(s)).reshape(sigmas.Count));

    /// <summary>A factor for each crop, [N,1,1,1].</summary>
    protected static Tensor PerCrop(IReadOnlyList<double> sigmas, Func<double, double> f) =>
        torch.tensor(sigmas.Select(s => (float)f(s)).ToArray()).reshape(sigmas.Count, 1, 1, 1);
}

/// <summary>|| eps(x0 + sigma n) - n ||^2 (Ho et al., "Denoising Diffusion Probabilistic Models", 2020).</summary>
public sealed class EpsilonObjective : TrainingObjective
{
    /// <inheritdoc/>
    public override Prediction Prediction => Prediction.Epsilon;

    /// <inheritdoc/>
    public override Tensor Loss(
        AdmUNet network,
        NoiseSchedule schedule,
        Tensor clean,
        Tensor noise,
        IReadOnlyList<double> sigmas,
        long step
    ) => (Epsilon(network, schedule, clean + noise * PerCrop(sigmas, s => s), sigmas) - noise).square().mean([1, 2, 3]);
}

/// <summary>
/// || F(c_in x, 250 ln sigma) - (x0 - c_skip x)/c_out ||^2 with x = x0 + sigma n: the denoiser's error in units of c_out, which are those
/// of the network's output
/// (Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, equation 8).
/// </summary>
public sealed class EdmObjective : TrainingObjective
{
    /// <inheritdoc/>
    public override Prediction Prediction => Prediction.Edm;

    /// <inheritdoc/>
    public override NetworkPrior Prior(AdmUNet network, NoiseSchedule schedule, PriorInfo info) => new EdmPrior(network, info);

    /// <inheritdoc/>
    public override Tensor Loss(
        AdmUNet network,
        NoiseSchedule schedule,
        Tensor clean,
        Tensor noise,
        IReadOnlyList<double> sigmas,
        long step
    )
    {
        KarrasScalings scalings = KarrasScalings.Edm;
        Tensor x = clean + noise * PerCrop(sigmas, s => s);
        Tensor f = network.Forward(x * PerCrop(sigmas, scalings.In), PerCrop(sigmas, KarrasScalings.Time).reshape(sigmas.Count));
        return (f - (clean - x * PerCrop(sigmas, scalings.Skip)) / PerCrop(sigmas, scalings.Out)).square().mean([1, 2, 3]);
    }
}

/// <summary>
/// Consistency tuning (Geng et al., "Consistency Models Made Easy", 2024; Song and Dhariwal, "Improved Techniques for Training Consistency
/// Models", 2023):
/// f(x0 + sigma n, sigma) is drawn towards f(x0 + r n, r) for a lower level r of the same noise, f(x, sigma) = x - sigma eps(x, sigma), in
/// the pseudo-Huber distance.
/// </summary>
/// <remarks>
/// r/sigma begins at 1/2, where the target is little more than a denoised picture, and comes half-way closer to 1 after every stage. f is
/// the identity at sigma = 0 by its form;
/// levels r below the schedule count as 0, where the target is x0 itself. The weight is 1/(sigma - r).
/// </remarks>
/// <param name="StageSteps">Steps of a stage.</param>
/// <param name="Stages">The last stage stays.</param>
public sealed class ConsistencyObjective(long StageSteps = 2000, int Stages = 6) : TrainingObjective
{
    private const double HuberPerRootDimension = 0.00054;

    /// <inheritdoc/>
    public override Prediction Prediction => Prediction.EpsilonConsistency;

    /// <summary>r/sigma at a step.</summary>
    public double Ratio(long step) => 1 - Math.Pow(2, -Math.Min(Stages, 1 + step / StageSteps));

    /// <inheritdoc/>
    public override Tensor Loss(
        AdmUNet network,
        NoiseSchedule schedule,
        Tensor clean,
        Tensor noise,
        IReadOnlyList<double> sigmas,
        long step
    )
    {
        double lowest = schedule.Sigma(0),
            ratio = Ratio(step);
        double[] lower = [.. sigmas.Select(s => s * ratio < lowest ? 0 : s * ratio)];
        Tensor target;
        using (torch.no_grad())
            target = EndPoint(network, schedule, clean, noise, lower);
        Tensor difference = EndPoint(network, schedule, clean, noise, sigmas) - target;
        double huber = HuberPerRootDimension * Math.Sqrt(clean.numel() / clean.shape[0]);
        Tensor distance = (difference.square().sum([1, 2, 3]) + huber * huber).sqrt() - huber;
        return distance * torch.tensor(sigmas.Zip(lower, (s, r) => (float)(1 / (s - r))).ToArray());
    }

    private static Tensor EndPoint(AdmUNet network, NoiseSchedule schedule, Tensor clean, Tensor noise, IReadOnlyList<double> sigmas)
    {
        Tensor factor = PerCrop(sigmas, s => s),
            x = clean + noise * factor;
        return x - factor * Epsilon(network, schedule, x, [.. sigmas.Select(s => Math.Max(s, schedule.Sigma(0)))]);
    }
}
