using System.Runtime.InteropServices;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>Trains an epsilon network on crops and noise levels, every level with equal say.</summary>
/// <remarks>
/// Data parallel over threads: the weights are the same bit for bit however many threads work and however often the run was killed.
/// </remarks>
public sealed class PriorTrainer : IDisposable
{
    private readonly TrainingSettings _settings;
    private readonly CropSource _crops;
    private readonly NoiseLevels _levels;
    private readonly NoiseSchedule _schedule;
    private readonly WorkerTeam _team;
    private readonly AdmUNet[] _networks;
    private readonly GradientStep _update;

    /// <summary>A trainer that continues <paramref name="state"/>.</summary>
    /// <param name="architecture">The network; each thread has one, all with the same weights.</param>
    /// <param name="schedule">The schedule of the prior.</param>
    /// <param name="crops">The data.</param>
    /// <param name="settings">How to train.</param>
    /// <param name="state">Borrowed; advanced by <see cref="Step"/>.</param>
    public PriorTrainer(
        AdmUNetConfig architecture,
        NoiseSchedule schedule,
        CropSource crops,
        TrainingSettings settings,
        TrainingState state
    )
    {
        (_schedule, _crops, _settings, State) = (schedule, crops, settings, state);
        _levels = new NoiseLevels(schedule, settings.Levels);
        _team = new WorkerTeam(settings.Workers);
        _networks = [.. Enumerable.Range(0, settings.Workers).Select(_ => new AdmUNet(architecture, settings.Policy))];
        _update = new GradientStep(_team, state, settings);
    }

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>Says that other shapes were computed in between, so that the kernels for crops may be gone.</summary>
    public void ForgetKernels() => _update.ForgetKernels();

    /// <summary>One step.</summary>
    /// <returns>What happened.</returns>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    /// <exception cref="ResourceException">Not enough memory; the state file is intact.</exception>
    public StepReport Step()
    {
        long step = State.Step;
        CropBatch batch = _settings.BatchOf(step);
        (int Bin, double Loss)[] seen = new (int, double)[batch.Count];
        StepReport report = _update.Take(batch, part => Differentiate(part, seen));
        if (_settings.Objective.IsBalanced(step))
            foreach ((int bin, double loss) in seen)
                State.Balance.Observe(bin, loss);
        return report;
    }

    private PartGradient Differentiate(StepPart part, (int Bin, double Loss)[] seen)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long step, CropBatch batch, int begin) = (part.Step, part.Batch, part.Begin);
        int count = part.Count,
            length = 3 * batch.Size * batch.Size;
        Tensor clean = torch.empty([count, 3, batch.Size, batch.Size], dtype: ScalarType.Float32);
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++)
        {
            Draws draws = new(_settings.Seed, step, begin + i);
            sigmas[i] = _levels.Draw(ref draws);
            _crops.Fill(step, begin + i, batch.Size, sigmas[i], MemoryMarshal.Cast<byte, float>(clean.bytes).Slice(i * length, length));
        }
        Tensor noise = new PhiloxNoise(
            _settings.Seed,
            [.. Enumerable.Range(begin, count).Select(i => new ImageKey(((ulong)step << 20) + (uint)i))]
        ).Draw(NoiseRole.Step, count, 3, batch.Size, batch.Size);

        AdmUNet network = _networks[part.Worker];
        Tensor floatLeaf = State.Weights.Tensor.narrow(0, 0, State.Layout.FloatLength).detach().requires_grad_();
        Tensor lowLeaf = part.Low.detach().requires_grad_();
        State.Layout.Bind(network.Parameters, floatLeaf, lowLeaf);
        Tensor error = _settings.Objective.Loss(network, _schedule, clean, noise, sigmas, step);
        float[] values = error.detach().data<float>().ToArray();
        float[] weights = new float[count];
        bool balanced = _settings.Objective.IsBalanced(step);
        for (int i = 0; i < count; i++)
        {
            int bin = _levels.Bin(sigmas[i]);
            double weight = balanced ? State.Balance.Weight(bin) : 1;
            weights[i] = (float)(weight / batch.Count);
            seen[begin + i] = (bin, values[i]);
            part.Losses[begin + i] = (values[i] * weight, values[i]);
        }
        return PartGradient.Of((error * torch.tensor(weights)).sum(), floatLeaf, lowLeaf);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        foreach (AdmUNet network in _networks)
            network.Dispose();
        _update.Dispose();
    }
}

/// <summary>One step of training.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Loss">Balanced loss; about 1 when nothing changes.</param>
/// <param name="Error">Mean loss of the crops as the objective gives it, not balanced between levels.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="Batch">Its crops.</param>
/// <param name="Seconds">Its duration.</param>
public sealed record StepReport(long Step, double Loss, double Error, double GradientNorm, double Rate, CropBatch Batch, double Seconds);
