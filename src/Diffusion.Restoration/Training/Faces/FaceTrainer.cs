using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Trains a one-step face restorer on pairs of degraded and clean faces.</summary>
/// <remarks>
/// As <see cref="PriorTrainer"/>: the weights are the same bit for bit however many threads work and however often it stopped.
/// </remarks>
public sealed class FaceTrainer : IDisposable
{
    private readonly TrainingSettings _settings;
    private readonly FaceSource _faces;
    private readonly FaceLoss _loss;
    private readonly IFacePerception? _perception;
    private readonly WorkerTeam _team;
    private readonly IFaceLearner[] _learners;
    private readonly FaceAdversary[] _adversaries;
    private readonly GradientStep _update;

    /// <summary>A trainer that continues <paramref name="state"/>.</summary>
    /// <param name="learner">Makes the restorer; each thread has one, all with the same weights.</param>
    /// <param name="faces">The data.</param>
    /// <param name="loss">What is made small.</param>
    /// <param name="perception">The eyes of the loss, borrowed; null where it needs none.</param>
    /// <param name="settings">How to train; the first of its batches says how many faces make a step.</param>
    /// <param name="state">Borrowed; advanced by <see cref="Step"/>.</param>
    public FaceTrainer(
        Func<IFaceLearner> learner,
        FaceSource faces,
        FaceLoss loss,
        IFacePerception? perception,
        TrainingSettings settings,
        TrainingState state
    )
    {
        (_faces, _loss, _perception, _settings, State) = (faces, loss, perception, settings, state);
        _team = new WorkerTeam(settings.Workers);
        _learners = [.. Enumerable.Range(0, settings.Workers).Select(_ => learner())];
        _adversaries =
        [
            .. Enumerable
                .Range(0, loss.Adversary > 0 ? settings.Workers : 0)
                .Select(_ => new FaceAdversary(new FaceCritic(settings.Policy), new FaceCritic(settings.Policy))),
        ];
        _update = new GradientStep(_team, state, settings);
    }

    /// <summary>
    /// How many of the first steps teach the embedder alone, which then stays as it is (OSDFace's two stages); 0: it learns beside the
    /// UNet.
    /// </summary>
    public long EmbedderSteps { get; init; }

    /// <summary>How often more faces such a step has.</summary>
    public int EmbedderFaces { get; init; } = 4;

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>What a training learns, in the order of its state: the restorer and, where the loss has an adversary, the critic.</summary>
    public static IReadOnlyList<Parameter> Learning(IFaceLearner learner, FaceCritic? critic) =>
        [.. learner.Parameters, .. critic?.Parameters ?? []];

    /// <summary>Says that other shapes were computed in between (<see cref="PriorTrainer.ForgetKernels"/>).</summary>
    public void ForgetKernels() => _update.ForgetKernels();

    /// <summary>One step.</summary>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    /// <exception cref="ResourceException">Not enough memory; the state file is intact.</exception>
    public StepReport Step()
    {
        int faces = _settings.Batches[0].Count * (State.Step < EmbedderSteps ? EmbedderFaces : 1);
        return _update.Take(new CropBatch(_faces.Side, faces, 1), Differentiate);
    }

    private PartGradient Differentiate(StepPart part)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long step, int begin, int end) = (part.Step, part.Begin, part.End);
        (Tensor Degraded, Tensor Clean)[] pairs = [.. Enumerable.Range(begin, end - begin).Select(i => _faces.Draw(step, i))];
        Tensor degraded = torch.cat([.. pairs.Select(pair => pair.Degraded)]),
            clean = torch.cat([.. pairs.Select(pair => pair.Clean)]);
        IFaceLearner learner = _learners[part.Worker];
        FaceAdversary? adversary = _adversaries.Length > 0 ? _adversaries[part.Worker] : null;
        Tensor floatLeaf = State.Weights.Tensor.narrow(0, 0, State.Layout.FloatLength).detach();
        Tensor lowLeaf = part.Low.detach();
        if (adversary is not null)
            State.Layout.Bind(Learning(learner, adversary.Judge), floatLeaf, lowLeaf);
        (floatLeaf, lowLeaf) = (floatLeaf.detach().requires_grad_(), lowLeaf.detach().requires_grad_());
        State.Layout.Bind(Learning(learner, adversary?.Pupil), floatLeaf, lowLeaf);
        Tensor loss,
            total,
            squared;
        if (step < EmbedderSteps)
        {
            total = learner.OfCodes(Seen(degraded, clean, begin), clean);
            (loss, squared) = (total, total);
        }
        else
        {
            bool[] tokens = [.. Enumerable.Range(begin, end - begin).Select(i => HasTokens(step, i))];
            (loss, squared, Tensor restored) = _loss.Of(learner, _perception, degraded, clean, tokens, EmbedderSteps == 0);
            total = loss;
            if (adversary is not null)
                total =
                    loss
                    + _loss.Adversary * adversary.Blame(restored, clean)
                    + adversary.Lesson(restored.detach(), clean, _settings.Seed, step, begin);
        }
        part.Tell(loss, squared);
        return PartGradient.Of(total.sum() / part.Batch.Count, floatLeaf, lowLeaf);
    }

    // Every fourth face is shown to the embedder as it is: clean and degraded faces must have the same tokens.
    private static Tensor Seen(Tensor degraded, Tensor clean, int begin)
    {
        Tensor[] faces =
        [
            .. Enumerable.Range(0, (int)clean.shape[0]).Select(i => ((begin + i) % 4 == 3 ? clean : degraded).narrow(0, i, 1)),
        ];
        return torch.cat(faces);
    }

    private bool HasTokens(long step, int index)
    {
        Draws draws = new(_settings.Seed ^ 0x70CE, step, index);
        return draws.Uniform() >= _loss.TokenDropout;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        foreach (IFaceLearner learner in _learners)
            learner.Dispose();
        foreach (FaceAdversary adversary in _adversaries)
            adversary.Dispose();
        _update.Dispose();
    }
}
