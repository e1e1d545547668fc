using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Trains a network on crops of pairs.</summary>
/// <remarks>
/// As <see cref="PriorTrainer"/>: the weights are the same bit for bit however many threads work and however often it stopped.
/// </remarks>
public sealed class PairTrainer : IDisposable
{
    private readonly PairTask _task;
    private readonly PairSource _pairs;
    private readonly TrainingSettings _settings;
    private readonly WorkerTeam _team;
    private readonly Network[] _networks;
    private readonly GradientStep _update;

    /// <summary>A trainer that continues <paramref name="state"/>.</summary>
    /// <param name="task">What is learned.</param>
    /// <param name="pairs">The data.</param>
    /// <param name="settings">How to train.</param>
    /// <param name="state">Borrowed; advanced by <see cref="Step"/>.</param>
    public PairTrainer(PairTask task, PairSource pairs, TrainingSettings settings, TrainingState state)
    {
        _networks = [.. Enumerable.Range(0, settings.Workers).Select(_ => task.Create(settings.Policy))];
        // A network may not compute in every dtype.
        settings = settings with { Policy = _networks[0].Policy };
        (_task, _pairs, _settings, State) = (task, pairs, settings, state);
        _team = new WorkerTeam(settings.Workers);
        _update = new GradientStep(_team, state, settings);
    }

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>Says that other shapes were computed in between (<see cref="PriorTrainer.ForgetKernels"/>).</summary>
    public void ForgetKernels() => _update.ForgetKernels();

    /// <summary>One step.</summary>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    /// <exception cref="ResourceException">Not enough memory; the state file is intact.</exception>
    public StepReport Step() => _update.Take(_settings.BatchOf(State.Step), Differentiate);

    private PartGradient Differentiate(StepPart part)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using PairBatch batch = _pairs.Draw(part.Step, part.Begin, part.End, part.Batch.Size);
        Network network = _networks[part.Worker];
        Tensor floatLeaf = State.Weights.Tensor.narrow(0, 0, State.Layout.FloatLength).detach().requires_grad_();
        Tensor lowLeaf = part.Low.detach().requires_grad_();
        State.Layout.Bind(network.Parameters, floatLeaf, lowLeaf);
        (Tensor loss, Tensor error) = _task.Loss(network, batch, _settings.Seed, part.Step, part.Begin);
        part.Tell(loss, error);
        return PartGradient.Of(loss.sum() / part.Batch.Count, floatLeaf, lowLeaf);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        foreach (Network network in _networks)
            network.Dispose();
        _update.Dispose();
    }
}
