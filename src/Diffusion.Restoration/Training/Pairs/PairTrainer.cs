using System.Diagnostics;
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
    private readonly HashSet<CropBatch> _kernels = [];

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
    public void ForgetKernels() => _kernels.Clear();

    /// <summary>One step.</summary>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    public StepReport Step()
    {
        long step = State.Step,
            started = Stopwatch.GetTimestamp();
        CropBatch batch = _settings.BatchOf(step);
        int parts = Math.Min(_settings.Parts, batch.Count);
        int Begin(int part) => part * batch.Count / parts;
        (double Loss, double Error)[] losses = new (double, double)[batch.Count];
        PartGradient[] gradients = new PartGradient[parts];
        Tensor low = _update.LowPrecisionWeights();
        try
        {
            void Compute(int worker, int part) =>
                gradients[part] = Differentiate(worker, step, batch, Begin(part), Begin(part + 1), low, losses);
            if (_kernels.Add(batch))
                _team.Run(1, (worker, _) =>
                {
                    for (int part = 0; part < parts; part++)
                        Compute(worker, part);
                });
            else
                _team.Run(parts, Compute);
            double norm = _update.Add(gradients),
                loss = losses.Average(l => l.Loss);
            if (!double.IsFinite(norm) || !double.IsFinite(loss))
                throw new NumericalException(
                    $"The loss or its gradient is not finite at step {step}",
                    null,
                    "Start again with a lower learning rate: the last saved state is intact"
                );
            _update.Apply(step, norm);
            State.Step++;
            State.Crops += batch.Count;
            State.Pixels += (long)batch.Count * batch.Size * batch.Size;
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return new StepReport(step, loss, losses.Average(l => l.Error), norm, State.Rate.At(step), batch, seconds);
        }
        finally
        {
            foreach (PartGradient? gradient in gradients)
                gradient?.Dispose();
            low.Dispose();
        }
    }

    private PartGradient Differentiate(
        int worker,
        long step,
        CropBatch crops,
        int begin,
        int end,
        Tensor low,
        (double Loss, double Error)[] losses
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using PairBatch batch = _pairs.Draw(step, begin, end, crops.Size);
        Network network = _networks[worker];
        Tensor floatLeaf = State.Weights.Tensor.narrow(0, 0, State.Layout.FloatLength).detach().requires_grad_();
        Tensor lowLeaf = low.detach().requires_grad_();
        State.Layout.Bind(network.Parameters, floatLeaf, lowLeaf);
        (Tensor loss, Tensor error) = _task.Loss(network, batch, _settings.Seed, step, begin);
        float[] values = loss.detach().data<float>().ToArray(),
            errors = error.detach().data<float>().ToArray();
        for (int i = 0; i < values.Length; i++)
            losses[begin + i] = (values[i], errors[i]);
        return PartGradient.Of([.. torch.autograd.grad([loss.sum() / crops.Count], [floatLeaf, lowLeaf])]);
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
