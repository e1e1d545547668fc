using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// Adversarial guidance: a critic learns which of two patches at the same place is real, the restored one or the original's, and the
/// restorer learns to be preferred (the relativistic pairing of Jolicoeur-Martineau 2019, as Huang et al. 2024 use it).
/// </summary>
/// <remarks>
/// The critic's gradient at real pictures is kept small (Mescheder et al. 2018), measured by a small random step instead of a second
/// derivative (Lin et al. 2025). Both critics have the same weights; only the second one's want gradients.
/// </remarks>
/// <param name="judge">What the restorer learns from.</param>
/// <param name="pupil">What learns.</param>
public sealed class FaceAdversary(FaceCritic judge, FaceCritic pupil) : IDisposable
{
    private const double Step = 0.05,
        Calm = 10;

    /// <summary>The critic that the restorer learns from.</summary>
    public FaceCritic Judge => judge;

    /// <summary>The critic that learns.</summary>
    public FaceCritic Pupil => pupil;

    /// <summary>How unreal the restored faces look beside the originals, [N]; the caller owns it.</summary>
    /// <param name="restored">[N,3,S,S] on [-1,1], borrowed.</param>
    /// <param name="clean">Likewise.</param>
    public Tensor Blame(Tensor restored, Tensor clean)
    {
        Tensor real;
        using (torch.no_grad())
            real = judge.Forward(clean);
        return Below(judge.Forward(restored), real);
    }

    /// <summary>What the critic gets wrong, [N]; the caller owns it.</summary>
    /// <param name="restored">[N,3,S,S] on [-1,1] without a gradient, borrowed.</param>
    /// <param name="clean">Likewise.</param>
    /// <param name="seed">Decides the random steps together with the next two.</param>
    /// <param name="step">The training step.</param>
    /// <param name="first">Number of the first face within the step.</param>
    public Tensor Lesson(Tensor restored, Tensor clean, ulong seed, long step, int first)
    {
        int count = (int)clean.shape[0];
        PhiloxNoise source = new(
            seed ^ 0xC417,
            [.. Enumerable.Range(first, count).Select(index => new ImageKey(((ulong)step << 20) + (uint)index))]
        );
        Tensor[] verdicts = pupil
            .Forward(torch.cat([restored, clean, clean + Step * source.Draw(NoiseRole.Measurement, clean.shape)]))
            .split(count);
        return Below(verdicts[1], verdicts[0]) + Calm * (verdicts[2] - verdicts[1]).square().mean([1, 2, 3]);
    }

    private static Tensor Below(Tensor a, Tensor b) => torch.nn.functional.softplus(b - a).mean([1, 2, 3]);

    /// <inheritdoc/>
    public void Dispose()
    {
        judge.Dispose();
        pupil.Dispose();
    }
}
